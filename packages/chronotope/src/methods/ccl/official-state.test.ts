import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { manualSeed, noGrad, savePth, scope, type Tensor, tensor } from '@chronotope/torch';
import { createImageBackbone, FrameResNet, type FrameResNetName } from '../../models/frame-resnet.js';
import { exportWeights, importWeights } from '../../models/weights/index.js';
import { formulaImages } from '../../testing/ccl-golden.js';
import { assertClose, type Nested, readGolden } from '../../testing/golden.js';
import { CclEncoder } from './encoder.js';
import { CclModel } from './model.js';
import { loadOfficialState, officialState } from './official-state.js';

const folder = mkdtempSync(join(tmpdir(), 'ccl-official-'));
after(() => rmSync(folder, { recursive: true }));

interface CheckpointKeys {
  n_parameters_trainable: number;
  state_dict_shapes: Record<string, number[]>;
}

const NAMES: FrameResNetName[] = ['resnet18', 'resnet50'];

for (const name of NAMES) {
  test(`${name}: the state has the names and shapes of the released checkpoints`, () =>
    scope(() => {
      const golden = readGolden<CheckpointKeys>(`ccl/checkpoint_keys_${name}.json`);
      const encoder = () => new CclEncoder(createImageBackbone(name));
      // Of the official lengths of the queues nothing depends; short ones are made in no time.
      const model = new CclModel(encoder(), encoder(), 128, { intra: 8, cycle: 10 });
      const short = (size: number) => ({ 65536: 8, 81920: 10 })[size] ?? size;
      const shapes = [...officialState(model)].map(([key, { shape }]) => [`module.${key}`, [...shape]] as const);
      const sorted = (pairs: readonly (readonly [string, readonly number[]])[]) =>
        pairs.toSorted(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual(
        sorted(shapes),
        sorted(Object.entries(golden.state_dict_shapes).map(([key, shape]) => [key, shape.map(short)] as const)),
      );
      const trained = model.parameters().filter(({ requiresGrad }) => requiresGrad);
      assert.equal(
        trained.reduce((sum, { numel }) => sum + numel, 0),
        golden.n_parameters_trainable,
      );
      model.dispose();
    }));
}

function narrowModel(): CclModel {
  const encoder = () => new CclEncoder(createImageBackbone('resnet18', { width: 4 }), { dimensions: 8 });
  return new CclModel(encoder(), encoder(), 8, { intra: 4, cycle: 8 });
}

test('a whole training state survives the way to an official checkpoint and back', () =>
  scope(() => {
    manualSeed(1);
    const [from, to] = [narrowModel(), narrowModel()];
    from.hold(from.encodeKeys(formulaImages([2, 3, 32, 32], 0), null, null).key, tensor([5, 6], { dtype: 'int64' }));
    from.enqueueHeld();
    const { missing, unexpected } = loadOfficialState(to, officialState(from));
    assert.deepEqual([missing, unexpected], [['cycle_queue.videos'], []]);
    for (const [key, value] of from.stateDict()) {
      if (key !== 'cycle_queue.videos') assert.deepEqual(to.stateDict().get(key)!.data(), value.data(), key);
    }
  }));

test('an official checkpoint starts an encoder, an image network and a network for clips; the report says what fits', () =>
  scope(() => {
    const file = join(folder, 'checkpoint_0199.pth.tar');
    const source = narrowModel();
    savePth(file, {
      epoch: 200,
      arch: 'resnet18',
      state_dict: new Map([...officialState(source)].map(([key, value]) => [`module.${key}`, value])),
    });
    const first = (model: { stateDict(): Map<string, Tensor> }, key: string) => model.stateDict().get(key)!.data();
    const encoder = new CclEncoder(createImageBackbone('resnet18', { width: 4 }), { dimensions: 8 });
    const report = importWeights(encoder, file, { require: 'all' });
    assert.deepEqual([report.format, report.wrapper, report.missing], ['moco', 'module.', []]);
    assert.deepEqual(first(encoder, 'cycle_head.2.weight'), first(source, 'query.cycle_head.2.weight'));
    const image = createImageBackbone('resnet18', { width: 4 });
    assert.equal(importWeights(image, file).format, 'moco');
    assert.deepEqual(first(image, 'layer4.1.bn2.weight'), first(source, 'query.backbone.layer4.1.bn2.weight'));
    const clips = new FrameResNet(createImageBackbone('resnet18', { width: 4 }));
    assert.equal(importWeights(clips, file).format, 'moco');
    assert.deepEqual(first(clips, 'conv1.weight'), first(source, 'query.backbone.conv1.weight'));
  }));

test('an encoder goes out as MoCo and torchvision name it, and comes back', () =>
  scope(() => {
    const encoder = narrowModel().query;
    for (const format of ['moco', 'torchvision'] as const) {
      const file = join(folder, `${format}.pth`);
      exportWeights(encoder, file, { format });
      const copy = new CclEncoder(createImageBackbone('resnet18', { width: 4 }), { dimensions: 8 });
      const report = importWeights(copy, file);
      assert.equal(report.format, format);
      assert.equal(report.missing.length, format === 'moco' ? 0 : 8);
      assert.deepEqual(copy.backbone.conv1.weight.data(), encoder.backbone.stateDict().get('conv1.weight')!.data());
    }
  }));

test('a network for clips sees each frame as the image network does, and pools over time', () =>
  scope(() => {
    manualSeed(2);
    const [image, clips] = [
      createImageBackbone('resnet18', { width: 4 }).eval(),
      new FrameResNet(createImageBackbone('resnet18', { width: 4 }), { slices: 3 }).eval(),
    ];
    clips.loadStateDict(image.stateDict());
    const frames = formulaImages([6, 3, 64, 64], 0.5);
    noGrad(() => {
      const expected = image.call(frames).reshape([2, 3, -1]);
      const batch = frames.reshape([2, 3, 3, 64, 64]).transpose(1, 2);
      const slices = clips.call(batch).squeeze(-1).squeeze(-1).transpose(1, 2);
      assertClose(slices, expected.toArray() as Nested, { relative: 1e-5 });
    });
    assert.deepEqual([...clips.stateDict().keys()], [...image.stateDict().keys()]);
  }));
