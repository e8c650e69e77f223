import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualSeed, noGrad, rand, scope, type Tensor, tensor } from '@chronotope/torch';
import { loadRecipeOf } from '../../recipes/load.js';
import { assertClose, type Nested } from '../../testing/golden.js';
import { newClassifier } from './networks.js';
import { MeanTeacher } from './semi-supervised.js';
import { cachedTeaching, freezeTeacher, liveTeaching } from './teaching.js';

const recipe = loadRecipeOf('timebalance', 'timebalance-demo');
const classifier = () => newClassifier(recipe, 3, { dropout: 0.5 });
const copyOf = (values: Tensor) => values.clone().data() as Float32Array;

describe('mean teacher', () => {
  test('averages the weights, plainly at first and with the decay later, and trains the student alone', () =>
    scope(() => {
      manualSeed(1);
      const pair = new MeanTeacher(classifier(), classifier());
      const [own, average] = [pair.student.fc.weight, pair.average.fc.weight];
      assert.deepEqual(copyOf(average), copyOf(own), 'it begins as a copy');
      const values = [1, 4, -2, 8];
      for (const [step, value] of values.entries()) {
        noGrad(() => own.fill_(value));
        pair.update(step, 0.6);
      }
      // Plain mean of the first two, then the decay: 0.6 · (…) + 0.4 · value.
      const expected = 0.6 * (0.6 * 2.5 + 0.4 * -2) + 0.4 * 8;
      assertClose(average.select(0, 0).select(0, 0), expected);
      assert.ok(pair.average.parameters().every(({ requiresGrad }) => !requiresGrad));
      assert.ok(pair.student.parameters().every(({ requiresGrad }) => requiresGrad));
      pair.dispose();
    }));
});

describe('what the teachers say', () => {
  const options = { mixing: 'probabilities', teacherTemperature: 1 } as const;
  const batchOf = (ids: string[], clips: Tensor) => ({ ids, views: { clip: clips }, labels: null });

  test('live teachers are frozen and folded and say the same as before, weighted video by video', () =>
    scope(() => {
      manualSeed(2);
      const teachers = [classifier(), classifier()] as const;
      const clips = rand([2, 3, 8, 24, 24]);
      // Some steps in training mode give the batch normalisation statistics of its own.
      for (const teacher of teachers) noGrad(() => teacher.call(clips));
      const [first, second] = teachers.map((teacher) => noGrad(() => teacher.eval().call(clips).softmax(1)));
      const weights = new Map([
        ['a', 1],
        ['b', 0.25],
      ]);
      const says = liveTeaching(teachers.map(freezeTeacher), { weights, ...options })(batchOf(['a', 'b'], clips));
      const mixed = second!.select(0, 1).mul(0.75).add(first!.select(0, 1).mul(0.25));
      assertClose(says.select(0, 0), first!.select(0, 0).toArray() as Nested, { relative: 1e-4 });
      assertClose(says.select(0, 1), mixed.toArray() as Nested, { relative: 1e-4 });
      assert.ok(!says.requiresGrad && teachers.every((teacher) => !teacher.training));
      for (const teacher of teachers) teacher.dispose();
    }));

  test('cached ones answer by the name of the video, in any order, and one teacher answers alone', () =>
    scope(() => {
      const table = (rows: number[][]) => ({
        rows: new Map([
          ['a', 0],
          ['b', 1],
        ]),
        probabilities: tensor(rows),
      });
      const weights = new Map([
        ['a', 0.5],
        ['b', 1],
      ]);
      const tables = [
        table([
          [1, 0],
          [0.2, 0.8],
        ]),
        table([
          [0, 1],
          [0.6, 0.4],
        ]),
      ];
      const batch = batchOf(['b', 'a', 'b'], rand([3, 1]));
      const both = cachedTeaching(tables, { weights, ...options })(batch);
      assertClose(both, [
        [0.2, 0.8],
        [0.5, 0.5],
        [0.2, 0.8],
      ]);
      const sharp = cachedTeaching([tables[1]!], { weights, mixing: 'logits', teacherTemperature: 0.5 })(batch);
      const squares = 0.36 + 0.16;
      assertClose(sharp.select(0, 0), [0.36 / squares, 0.16 / squares]);
      const classFactors = tensor([1, 3]);
      const balanced = cachedTeaching(tables, { weights, classFactors, ...options })(batch);
      assertClose(balanced, [
        [0.2 / 2.6, 2.4 / 2.6],
        [0.25, 0.75],
        [0.2 / 2.6, 2.4 / 2.6],
      ]);
    }));
});
