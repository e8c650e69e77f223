import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nn, noGrad, scope, type Tensor } from '@chronotope/torch';
import { assertClose, type Nested, readGolden } from '../testing/golden.js';
import { hashFill, hashInput } from '../testing/hash-fill.js';
import type { VideoBackbone } from './backbone.js';
import { Classifier } from './classifier.js';
import { ProjectionHead } from './projection-head.js';
import { R3D50 } from './slow-resnet.js';
import { R2Plus1D18, R3D18 } from './video-resnet.js';

interface Run {
  input_shape: number[];
  mode: 'train' | 'eval';
  clip_type: 'd' | 's' | null;
  stage_output_shapes: Record<string, number[]>;
  output_first8: number[][][];
  output_sum: number[];
  feature_first8_channels?: number[][][];
  bn_after_one_forward?: Record<string, number[]>;
}

interface NetworkGolden {
  salt: number;
  parameters: number;
  backbone_parameters: number | null;
  state_dict: [string, number[]][];
  runs: Run[];
}

const r3d18 = readGolden<NetworkGolden>('models/backbone_r3d18_backbone_mlp.json');
const r3d50 = readGolden<NetworkGolden>('models/backbone_r3d50_backbone_mlp.json');
const r3dPrp = readGolden<NetworkGolden>('models/backbone_r3d_prp_backbone_mlp.json');
const classifiers = [
  { golden: 'r3d18', backbone: () => new R3D18(), runs: [2, 1] },
  { golden: 'r2plus1d18', backbone: () => new R2Plus1D18({ lastStage: 'strided' }), runs: [0, 1] },
  { golden: 'r3d50', backbone: () => new R3D50(), runs: [0], fc: 'blocks.5.proj.' },
];

/** Backbone and head as the official network has them: keys `0.*` and `1.*`. */
class Pretext extends nn.Module {
  constructor(
    readonly backbone: VideoBackbone,
    readonly head: ProjectionHead,
  ) {
    super();
  }

  override forward(): never {
    throw new Error('only its state is used');
  }
}

function r3d18Key(key: string): string {
  return key.replace(/^backbone\./, '0.').replace(/^head\./, '1.');
}

function r3d50Key(key: string): string {
  return key.replace(/^backbone\./, '0.r3d50.').replace(/^head\./, '1.');
}

/** TCLR's `r3d_prp` names its four stages `conv2` to `conv5`, each of one block, and shares no other name with torchvision. */
function r3dPrpKey(key: string): string {
  return r3d18Key(key)
    .replace('0.stem.0.', '0.conv1.temporal_spatial_conv.')
    .replace('0.stem.1.', '0.bn1.')
    .replace(/^0\.layer(\d)\.0\./, (_, stage) => `0.conv${Number(stage) + 1}.block1.`)
    .replace(/block1\.(conv\d)\.0\./, 'block1.$1.temporal_spatial_conv.')
    .replace(/block1\.conv(\d)\.1\./, 'block1.bn$1.')
    .replace('downsample.0.', 'downsampleconv.temporal_spatial_conv.')
    .replace('downsample.1.', 'downsamplebn.')
    .replace(/(conv5\.block1\.(conv1|downsampleconv))\.temporal_spatial_conv/, '$1');
}

function classifierKey(key: string, fc: string): string {
  return key.replace(/^backbone\./, '').replace(/^fc\./, fc);
}

function countParameters(module: nn.Module): number {
  return module.parameters().reduce((sum, { numel }) => sum + numel, 0);
}

function keysAndShapes(module: nn.Module, officialKey: (key: string) => string): [string, number[]][] {
  return [...module.stateDict()].map(([key, { shape }]) => [officialKey(key), [...shape]]);
}

/** The golden files' own tolerance: two batch normalisations over a batch of 4 make much of rounding. */
function assertOfficial(actual: Tensor, expected: Nested, what: string): void {
  assertClose(actual, expected, { relative: 1e-3, what });
}

function assertOutputs(outputs: Tensor[], run: Run): void {
  for (const [index, output] of outputs.entries()) {
    assertOfficial(output.narrow(1, 0, 8), run.output_first8[index]!, `output ${index}`);
  }
}

function assertStatistics(module: nn.Module, run: Run, officialKey: (key: string) => string): void {
  const buffers = new Map([...module.namedBuffers()].map(([key, buffer]) => [officialKey(key), buffer]));
  for (const [key, first] of Object.entries(run.bn_after_one_forward ?? {})) {
    assertOfficial(buffers.get(key)!.narrow(0, 0, first.length), first, key);
  }
}

// Every mode and kind once: with slices in training, pooled in evaluation, the latter of 8 frames in the two main networks.
const pretexts = [
  {
    ...{ name: 'R3D-18', golden: r3d18, runs: [3, 4], officialKey: r3d18Key, pooling: '0.avgpool', ordered: true },
    make: (slices?: number) => new Pretext(new R3D18({ slices }), new ProjectionHead(512)),
  },
  {
    ...{ name: 'R3D-50', golden: r3d50, runs: [0, 1], officialKey: r3d50Key, pooling: '0.st_pooling', ordered: true },
    make: (slices?: number) => new Pretext(new R3D50({ slices }), new ProjectionHead(2048, { hidden: 128 })),
  },
  {
    // An option of TCLR's code, which is R3D-18 with half of its blocks; its file lists shortcuts before convolutions.
    ...{ name: 'r3d_prp', golden: r3dPrp, runs: [3, 0], officialKey: r3dPrpKey, pooling: '0.avgpool', ordered: false },
    make: (slices?: number) => new Pretext(new R3D18({ depths: [1, 1, 1, 1], slices }), new ProjectionHead(512)),
  },
];

for (const { name, golden, runs, officialKey, pooling, make, ordered } of pretexts) {
  test(`${name}: backbone and head have the official keys, shapes and numbers of parameters`, () => {
    scope(() => {
      const network = make();
      const inOrder = (entries: [string, number[]][]) => (ordered ? entries : Object.fromEntries(entries));
      assert.deepEqual(inOrder(keysAndShapes(network, officialKey)), inOrder(golden.state_dict));
      assert.equal(countParameters(network), golden.parameters);
      assert.equal(countParameters(network.backbone), golden.backbone_parameters);
      network.dispose();
    });
  });

  for (const run of runs.map((index) => golden.runs[index]!)) {
    test(`${name}, ${run.mode}, ${run.input_shape[2]} frames: features and embeddings are the official ones`, () => {
      scope(() => {
        const network = make(run.stage_output_shapes[pooling]![2]!).train(run.mode === 'train');
        hashFill(network, golden.salt, officialKey);
        const features = noGrad(() => network.backbone.call(hashInput('clip', golden.salt, run.input_shape)));
        assert.deepEqual([...features.shape], run.stage_output_shapes[pooling]);
        assertOfficial(features.narrow(1, 0, 8), run.feature_first8_channels!, 'features');

        const projection = noGrad(() => (run.clip_type === 'd' ? null : network.head.slices(features)));
        assertOutputs(projection ? [projection.pooled, ...projection.slices] : [network.head.pooled(features)], run);
        assertStatistics(network, run, officialKey);
        network.dispose();
      });
    });
  }
}

for (const { golden: name, backbone, runs, fc = 'fc.' } of classifiers) {
  const officialKey = (key: string) => classifierKey(key, fc);
  test(`${name}: the classifier has the official keys, and the logits of every mode`, () => {
    const golden = readGolden<NetworkGolden>(`models/backbone_${name}_classifier.json`);
    scope(() => {
      const network = new Classifier(backbone(), 102, { dropout: 0 });
      assert.deepEqual(keysAndShapes(network, officialKey), golden.state_dict);
      assert.equal(countParameters(network), golden.parameters);
      hashFill(network, golden.salt, officialKey);
      // Evaluation first: training changes the running statistics.
      for (const run of runs.map((index) => golden.runs[index]!)) {
        network.train(run.mode === 'train');
        const logits = noGrad(() => network.call(hashInput('clip', golden.salt, run.input_shape)));
        assertOutputs([logits], run);
        assertOfficial(logits.sum(), run.output_sum, 'sum of the logits');
        assertStatistics(network, run, officialKey);
      }
      network.dispose();
    });
  });
}

test("the strided variant is torchvision's: 16 frames end in 2 steps and all convolutions are He-normal", () => {
  scope(() => {
    const network = new R3D18({ lastStage: 'strided', slices: 2 }).eval();
    const map = noGrad(() => network.featureMap(hashInput('clip', 0, [1, 3, 16, 16, 16])));
    assert.deepEqual([...map.shape], [1, 512, 2, 1, 1]);
    assertStandardDeviation(network, 'layer4.0.conv1.0.weight', Math.sqrt(2 / (512 * 27)));
    assertStandardDeviation(network, 'stem.0.weight', Math.sqrt(2 / (64 * 147)));
    network.dispose();
  });
});

test('R3D-50 has He-normal convolutions; every bottleneck starts as its shortcut', () => {
  scope(() => {
    const network = new R3D50({ depths: [1, 1, 1, 1] });
    assertStandardDeviation(network, 'blocks.3.res_blocks.0.branch2.conv_b.weight', Math.sqrt(2 / (256 * 9)));
    const gains = [...network.namedParameters()].filter(([key]) => key.endsWith('norm_c.weight'));
    assert.deepEqual(
      gains.map(([, gain]) => gain.abs().sum().item()),
      [0, 0, 0, 0],
    );
    network.dispose();
  });
});

test('the two replaced convolutions of the dilated variant have the default initialisation, the others He-normal', () => {
  scope(() => {
    const network = new R3D18();
    assertStandardDeviation(network, 'layer4.0.conv1.0.weight', 1 / Math.sqrt(3 * 256 * 27));
    assertStandardDeviation(network, 'layer4.0.downsample.0.weight', 1 / Math.sqrt(3 * 256));
    assertStandardDeviation(network, 'layer4.1.conv1.0.weight', Math.sqrt(2 / (512 * 27)));
    network.dispose();
  });
});

function assertStandardDeviation(network: nn.Module, key: string, expected: number): void {
  const ratio = network.namedParameters().get(key)!.std().item() / expected;
  assert.ok(Math.abs(ratio - 1) < 0.02, `standard deviation of ${key} is ${ratio} times the expected one`);
}
