import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nn, noGrad, scope, type Tensor } from '@chronotope/torch';
import { assertClose, type Nested, readGolden } from '../testing/golden.js';
import { hashFill, hashInput } from '../testing/hash-fill.js';
import { Classifier } from './classifier.js';
import { ProjectionHead } from './projection-head.js';
import { R3D18 } from './r3d.js';

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

const withHead = readGolden<NetworkGolden>('models/backbone_r3d18_backbone_mlp.json');
const classifier = readGolden<NetworkGolden>('models/backbone_r3d18_classifier.json');

/** Backbone and head as the official network has them: keys `0.*` and `1.*`. */
class Pretext extends nn.Module {
  constructor(
    readonly backbone: R3D18,
    readonly head: ProjectionHead,
  ) {
    super();
  }

  override forward(): never {
    throw new Error('only its state is used');
  }
}

const OFFICIAL_PREFIX: Record<string, string> = { backbone: '0', head: '1' };

function pretextKey(key: string): string {
  return key.replace(/^\w+/, (part) => OFFICIAL_PREFIX[part]!);
}

function classifierKey(key: string): string {
  return key.replace(/^backbone\./, '');
}

function countParameters(module: nn.Module): number {
  return module.parameters().reduce((sum, { numel }) => sum + numel, 0);
}

function keysAndShapes(module: nn.Module, officialKey: (key: string) => string): [string, number[]][] {
  return [...module.stateDict()].map(([key, { shape }]) => [officialKey(key), [...shape]]);
}

function assertOfficial(actual: Tensor, expected: Nested, what: string): void {
  assertClose(actual, expected, { relative: 2e-4, what });
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

test('backbone and head have the official keys, order, shapes and numbers of parameters', () => {
  scope(() => {
    const network = new Pretext(new R3D18(), new ProjectionHead(512));
    assert.deepEqual(keysAndShapes(network, pretextKey), withHead.state_dict);
    assert.equal(countParameters(network), withHead.parameters);
    assert.equal(countParameters(network.backbone), withHead.backbone_parameters);
    network.dispose();
  });
});

// Every mode and kind once: 16 frames with slices in training, 8 frames pooled in evaluation.
for (const index of [3, 4]) {
  const run = withHead.runs[index]!;
  test(`backbone and head, ${run.mode}, ${run.input_shape[2]} frames: features and embeddings are the official ones`, () => {
    scope(() => {
      const slices = run.stage_output_shapes['0.avgpool']![2]!;
      const network = new Pretext(new R3D18({ slices }), new ProjectionHead(512)).train(run.mode === 'train');
      hashFill(network, withHead.salt, pretextKey);
      const features = noGrad(() => network.backbone.call(hashInput('clip', withHead.salt, run.input_shape)));
      assert.deepEqual([...features.shape], run.stage_output_shapes['0.avgpool']);
      assertOfficial(features.narrow(1, 0, 8), run.feature_first8_channels!, 'features');

      const projection = noGrad(() => (run.clip_type === 'd' ? null : network.head.slices(features)));
      assertOutputs(projection ? [projection.pooled, ...projection.slices] : [network.head.pooled(features)], run);
      assertStatistics(network, run, pretextKey);
      network.dispose();
    });
  });
}

test('the classifier has the official keys; its logits, in evaluation and training, are the official ones', () => {
  scope(() => {
    const network = new Classifier(new R3D18(), 102, { dropout: 0 });
    assert.deepEqual(keysAndShapes(network, classifierKey), classifier.state_dict);
    assert.equal(countParameters(network), classifier.parameters);
    hashFill(network, classifier.salt, classifierKey);
    // Evaluation first: training changes the running statistics.
    for (const run of [classifier.runs[2]!, classifier.runs[1]!]) {
      network.train(run.mode === 'train');
      const clips = hashInput('clip', classifier.salt, run.input_shape);
      const logits = noGrad(() => network.call(clips));
      assertOutputs([logits], run);
      assertOfficial(logits.sum(), run.output_sum, 'sum of the logits');
      assertStatistics(network, run, classifierKey);
    }
    network.dispose();
  });
});

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
