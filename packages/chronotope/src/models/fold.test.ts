import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nn, noGrad, scope } from '@chronotope/torch';
import { hashFill, hashInput } from '../testing/hash-fill.js';
import { Classifier } from './classifier.js';
import { type BackboneConfig, createBackbone } from './registry.js';

const SHALLOW = { width: 8, depths: [1, 1, 1, 1] as [number, number, number, number] };
const CONFIGS: BackboneConfig[] = [
  { name: 'small-r3d' },
  { name: 'r3d18', ...SHALLOW },
  { name: 'r2plus1d18', ...SHALLOW },
  { name: 'mc3-18', ...SHALLOW },
  { name: 'r3d50', ...SHALLOW },
];

for (const config of CONFIGS) {
  test(`${config.name}: all batch normalisations can be folded without another answer`, () =>
    scope(() => {
      const network = new Classifier(createBackbone(config), 3, { dropout: 0.5 }).eval();
      hashFill(network, 5);
      const clips = hashInput('clips', 6, [2, 3, 8, 32, 32]);
      const [before, after, folded] = noGrad(() => {
        const unfolded = network.call(clips);
        const count = nn.foldBatchNorm(network);
        return [unfolded, network.call(clips), count] as const;
      });
      const norms = network.modules().filter((module) => module instanceof nn.BatchNorm3d);
      assert.equal(folded, norms.length);
      const largest = before.abs().max().item();
      const difference = before.sub(after).abs().max().item();
      assert.ok(difference < 1e-4 * largest, `${difference} of ${largest}`);
      network.dispose();
    }));
}
