import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertClose, readGolden } from '../testing/golden.js';
import { byEpoch, cosineEpochs, milestoneEpochs } from './epoch-schedule.js';

interface ScheduleCase {
  case: string;
  base_lr: number;
  cosine: boolean;
  epochs: number;
  schedule: number[];
  epoch: number[];
  lr: number[];
}

const { cases } = readGolden<{ cases: ScheduleCase[] }>('ccl/lr_schedule.json');

for (const c of cases) {
  test(`official learning rates: ${c.case}`, () => {
    const factor = c.cosine ? cosineEpochs(c.epochs) : milestoneEpochs(c.schedule);
    for (const [k, epoch] of c.epoch.entries()) {
      assertClose(c.base_lr * factor(epoch), c.lr[k]!, { relative: 1e-12, absolute: 0 });
    }
  });
}

test('the rate stays for all steps of an epoch', () => {
  const schedule = byEpoch(milestoneEpochs([2]), 3);
  assert.deepEqual(
    Array.from({ length: 9 }, (_, step) => schedule(step)),
    [1, 1, 1, 1, 1, 1, 0.1, 0.1, 0.1],
  );
});
