/** The official key lists are in golden/models; official-pretraining.pth is by scripts/golden/official_checkpoint.py. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadStateDict, nn, savePth, saveSafetensors, scope, tensor } from '@chronotope/torch';
import fc from 'fast-check';
import { readGolden } from '../../testing/golden.js';
import { hashFill } from '../../testing/hash-fill.js';
import type { VideoBackbone } from '../backbone.js';
import { Classifier } from '../classifier.js';
import { ResNet18, ResNet50 } from '../image-resnet.js';
import { ProjectionHead } from '../projection-head.js';
import { R3D50 } from '../slow-resnet.js';
import { SmallR3D } from '../small-r3d.js';
import { MC3D18, R2Plus1D18, R3D18 } from '../video-resnet.js';
import { exportWeights, formatWeightsReport, importWeights, type WeightsFormat, type WeightsReport } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'weights-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string) => join(folder, name);
const OFFICIAL = fileURLToPath(new URL('../../../golden/models/official-pretraining.pth', import.meta.url));

const NARROW = { width: 1, depths: [1, 1, 1, 1] as const };

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

const officialKey = (key: string) => key.replace(/^backbone\./, '0.').replace(/^head\./, '1.');
const newPretext = () => new Pretext(new R3D18(NARROW), new ProjectionHead(8, { dimensions: 4 }));

test('an official pre-training checkpoint loads: wrapper, scaler and optimiser aside, BGR turned to RGB', () => {
  scope(() => {
    const network = newPretext();
    const report = importWeights(network, OFFICIAL);
    assert.deepEqual([report.format, report.channels, report.wrapper], ['tclr', 'bgr', 'module.']);
    assert.equal(report.matched.length, network.stateDict().size);
    assert.deepEqual([report.missing, report.unexpected, report.mismatched], [[], [], []]);
    assert.deepEqual(
      report.skipped.filter(({ path }) => path === 'amp_scaler').map(({ kind }) => kind),
      ['torch.cuda.amp.grad_scaler.GradScaler'],
    );

    const expected = newPretext();
    hashFill(expected, 3, officialKey);
    const stem = expected.namedParameters().get('backbone.stem.0.weight')!;
    const stemWeights = stem.flip([1]).toArray();
    for (const [key, value] of network.stateDict()) {
      const wanted = key === 'backbone.stem.0.weight' ? stemWeights : expected.stateDict().get(key)!.toArray();
      assert.deepEqual(value.toArray(), wanted, key);
    }
  });
});

test('the same file as of TimeBalance, whose frames are RGB, is taken as it is', () => {
  scope(() => {
    const network = newPretext();
    assert.equal(importWeights(network, OFFICIAL, { format: 'timebalance' }).channels, 'rgb');
    const expected = newPretext();
    hashFill(expected, 3, officialKey);
    assertSameState(network, expected);
  });
});

test('a backbone alone, and a classifier, take what they have of a pre-training checkpoint', () => {
  scope(() => {
    const backbone = importWeights(new R3D18(NARROW), OFFICIAL);
    assert.deepEqual(backbone.missing, []);
    assert.deepEqual(backbone.unexpected.slice(0, 2), ['1.fc1.weight', '1.fc1.bias']);
    const classifier = importWeights(new Classifier(new R3D18(NARROW), 3), OFFICIAL);
    assert.deepEqual(classifier.missing, ['fc.weight', 'fc.bias']);
  });
});

const ROUND_TRIPS: [string, () => nn.Module, WeightsFormat[]][] = [
  ['R3D-18', () => new Classifier(new R3D18(NARROW), 3), ['chronotope', 'torchvision']],
  ['R3D-18 with head', newPretext, ['chronotope', 'tclr', 'timebalance']],
  ['R(2+1)D-18', () => new Classifier(new R2Plus1D18(NARROW), 3), ['chronotope', 'torchvision']],
  ['MC3-18', () => new Classifier(new MC3D18(NARROW), 3), ['chronotope', 'torchvision']],
  ['R3D-50', () => new Classifier(new R3D50(NARROW), 3), ['chronotope', 'pytorchvideo']],
  ['ResNet-18', () => new ResNet18({ ...NARROW, classes: 3 }), ['chronotope', 'torchvision']],
  ['ResNet-50', () => new ResNet50(NARROW), ['chronotope', 'torchvision']],
  ['small-r3d', () => new Classifier(new SmallR3D({ widths: [2, 2, 3] }), 3), ['chronotope']],
];

for (const [name, make, formats] of ROUND_TRIPS) {
  test(`${name}: what was exported as ${formats.join(', ')} is recognised and comes back bit for bit`, () => {
    scope(() => {
      const network = make();
      for (const format of formats) {
        for (const ending of ['pth', 'safetensors']) {
          const path = file(`${name}-${format}.${ending}`);
          const exported = exportWeights(network, path, { format });
          assert.deepEqual(exported.leftOut, []);
          const other = make();
          // TimeBalance's pre-training of R3D-18 has TCLR's keys, but not its channel order: only the user can tell.
          const report = importWeights(other, path, {
            format: format === 'timebalance' ? format : 'auto',
            require: 'all',
          });
          assert.equal(report.format, format);
          assertSameState(other, network);
        }
      }
    });
  });
}

test('exported keys are those of the official checkpoints, in their order', () => {
  const officialKeys = (name: string) =>
    readGolden<{ state_dict: [string, number[]][] }>(`models/${name}.json`).state_dict.map(([key]) => key);
  const exportedKeys = (network: nn.Module, format?: WeightsFormat) => {
    const { keys } = exportWeights(network, file('keys.safetensors'), { format });
    return keys;
  };
  scope(() => {
    const [head18, head50] = [new ProjectionHead(8), new ProjectionHead(32)];
    const [r3d18, r3d50] = [new R3D18({ width: 1 }), new R3D50({ width: 1 })];
    assert.deepEqual(exportedKeys(new Pretext(r3d18, head18), 'tclr'), officialKeys('backbone_r3d18_backbone_mlp'));
    assert.deepEqual(exportedKeys(new Classifier(r3d18, 2)), officialKeys('backbone_r3d18_classifier'));
    assert.deepEqual(
      exportedKeys(new Pretext(r3d50, head50), 'timebalance'),
      officialKeys('backbone_r3d50_backbone_mlp'),
    );
    assert.deepEqual(exportedKeys(new Classifier(r3d50, 2)), officialKeys('backbone_r3d50_classifier'));
  });
});

test('files of tclr and timebalance have their weights under state_dict, as the official loaders want them', () => {
  scope(() => {
    exportWeights(newPretext(), file('nested.pth'), { format: 'timebalance' });
    assert.ok(loadStateDict(file('nested.pth'), { key: 'state_dict' }).tensors.has('0.stem.0.weight'));
  });
});

test('a classifier of other classes keeps its own layer, unless all weights are required', () => {
  scope(() => {
    exportWeights(new Classifier(new R3D18(NARROW), 400), file('k400.pth'));
    const network = new Classifier(new R3D18(NARROW), 5);
    const before = network.fc.weight.toArray();
    const report = importWeights(network, file('k400.pth'));
    assert.deepEqual(report.mismatched, [
      { key: 'fc.weight', foreign: 'fc.weight', expected: [5, 8], found: [400, 8] },
      { key: 'fc.bias', foreign: 'fc.bias', expected: [5], found: [400] },
    ]);
    assert.deepEqual(network.fc.weight.toArray(), before);
    assert.throws(() => importWeights(network, file('k400.pth'), { require: 'all' }), {
      code: 'weights-differ',
      message: /fc\.weight is \[400, 8\], not \[5, 8\]/,
    });
  });
});

test('a file of another network is refused, names the weights, and changes nothing', () => {
  scope(() => {
    exportWeights(new R2Plus1D18({ ...NARROW, lastStage: 'strided' }), file('strided.pth'));
    const network = new R2Plus1D18(NARROW);
    const before = [...network.stateDict()].map(([key, value]) => [key, value.toArray()]);
    assert.throws(() => importWeights(network, file('strided.pth')), {
      code: 'weights-differ',
      message: /1 not in the file:\s+layer4\.0\.conv1\.0\.weight/,
    });
    assert.deepEqual(
      [...network.stateDict()].map(([key, value]) => [key, value.toArray()]),
      before,
    );
    const report = importWeights(network, file('strided.pth'), { require: 'any' });
    assert.deepEqual(report.missing, ['layer4.0.conv1.0.weight']);

    assert.throws(() => importWeights(new R3D50(NARROW), file('strided.pth'), { require: 'any' }), {
      code: 'weights-differ',
      hint: /the file has stem\.0\.weight/,
    });
    assert.throws(() => importWeights(network, file('strided.pth'), { format: 'pytorchvideo' }), {
      code: 'weights-format',
      message: /R2Plus1D18 do not come in the format pytorchvideo/,
    });
  });
});

test('weights are found beside single tensors, and where the user says', () => {
  scope(() => {
    const network = new ResNet18(NARROW);
    const weights = network.stateDict();
    savePth(file('nested.pth'), { best_acc1: tensor(0.5), state_dict: weights, teacher: weights });
    assert.equal(importWeights(new ResNet18(NARROW), file('nested.pth')).missing.length, 0);
    assert.equal(importWeights(new ResNet18(NARROW), file('nested.pth'), { place: 'teacher' }).missing.length, 0);
    assert.throws(() => importWeights(network, file('none.pth')), { code: 'io', message: /none\.pth/ });
  });
});

test('exactly the keys that a file lacks, has too many or has in other shapes are reported', () => {
  const keys = scope(() => [...new ResNet18({ ...NARROW, classes: 2 }).stateDict().keys()]);
  const fates = fc.array(fc.constantFrom('kept', 'gone', 'reshaped'), {
    minLength: keys.length,
    maxLength: keys.length,
  });
  fc.assert(
    fc.property(fates, fc.uniqueArray(fc.stringMatching(/^extra[a-z]{1,4}$/)), (fate, extra) => {
      scope(() => {
        const network = new ResNet18({ ...NARROW, classes: 2 });
        const state = new Map([...network.stateDict()].filter((_, index) => fate[index] !== 'gone'));
        for (const [index, key] of keys.entries()) {
          if (fate[index] === 'reshaped') state.set(key, tensor([1, 2, 3, 4, 5, 6, 7], { shape: [7, 1] }));
        }
        for (const key of extra) state.set(key, tensor(1));
        state.set('fc.weight', network.fc!.weight.detach());
        saveSafetensors(file('some.safetensors'), state);
        const report = importWeights(new ResNet18({ ...NARROW, classes: 2 }), file('some.safetensors'), {
          format: 'torchvision',
          require: 'any',
        });
        const having = (wanted: string) => keys.filter((key, index) => key !== 'fc.weight' && fate[index] === wanted);
        assert.deepEqual(report.missing, having('gone'));
        assert.deepEqual(
          report.mismatched.map(({ key }) => key),
          having('reshaped'),
        );
        assert.deepEqual(report.unexpected.toSorted(), extra.toSorted());
        assert.deepEqual(report.matched.toSorted(), [...having('kept'), 'fc.weight'].toSorted());
      });
    }),
    { numRuns: 10 },
  );
});

test('a report reads well', () => {
  const report: WeightsReport = {
    ...{ file: 'tclr.pth', format: 'tclr', channels: 'bgr', wrapper: 'module.' },
    matched: ['backbone.stem.0.weight'],
    missing: ['fc.weight', 'fc.bias'],
    unexpected: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'],
    mismatched: [{ key: 'x', foreign: 'y', expected: [2, 3], found: [3] }],
    skipped: [{ path: 'epoch', kind: 'a number' }],
  };
  assert.equal(
    formatWeightsReport(report),
    `tclr.pth: tclr format, first convolution turned from BGR to RGB, "module." taken off every key
  1 of 4 weights of the network loaded
  2 not in the file:
    fc.weight
    fc.bias
  1 of another shape, not loaded:
    x is [3], not [2, 3]
  8 not in the network:
    a
    b
    c
    d
    e
    f
    … and 2 more
  1 no weights:
    epoch (a number)`,
  );
});

function assertSameState(actual: nn.Module, expected: nn.Module): void {
  const wanted = expected.stateDict();
  for (const [key, value] of actual.stateDict()) assert.deepEqual(value.toArray(), wanted.get(key)!.toArray(), key);
}
