import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type nn, saveSafetensors, scope, tensor } from '@chronotope/torch';
import { Classifier } from '../classifier.js';
import { ResNet18, ResNet50 } from '../image-resnet.js';
import { R3D50 } from '../slow-resnet.js';
import { MC3D18, R2Plus1D18, R3D18 } from '../video-resnet.js';
import { describeWeights } from './describe-weights.js';
import { exportWeights } from './export-weights.js';

const folder = mkdtempSync(join(tmpdir(), 'describe-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'weights.pth');

test('published networks are told apart by keys and kernels, whatever their width', () => {
  const networks: [string, () => nn.Module][] = [
    ['r3d18', () => new Classifier(new R3D18({ width: 3 }), 2)],
    ['r2plus1d18, strided', () => new R2Plus1D18({ width: 3, lastStage: 'strided' })],
    ['r2plus1d18, dilated', () => new R2Plus1D18({ width: 3 })],
    ['mc3-18', () => new MC3D18({ width: 3 })],
    ['r3d50', () => new Classifier(new R3D50({ width: 3 }), 2)],
    ['resnet18', () => new ResNet18({ width: 3, classes: 4 })],
    ['resnet50', () => new ResNet50({ width: 3 })],
  ];
  scope(() => {
    for (const [name, make] of networks) {
      exportWeights(make(), path);
      const format = name === 'r3d50' ? 'pytorchvideo' : 'torchvision';
      assert.deepEqual(describeWeights(path).network, { name, format });
    }
    exportWeights(new Classifier(new R3D50({ width: 3 }), 2), path, { format: 'timebalance' });
    assert.deepEqual(describeWeights(path).network, { name: 'r3d50', format: 'timebalance' });
  });
});

test('other weights are listed without a network', () => {
  scope(() => {
    saveSafetensors(path, { 'module.a': tensor(3, { dtype: 'int64' }), 'module.b': tensor([[1, 2]]) });
    const { wrapper, weights, numbers, network } = describeWeights(path);
    assert.deepEqual([wrapper, numbers, network], ['module.', 3, null]);
    assert.deepEqual(weights, [
      { key: 'a', shape: [], dtype: 'int64' },
      { key: 'b', shape: [1, 2], dtype: 'float32' },
    ]);
  });
});
