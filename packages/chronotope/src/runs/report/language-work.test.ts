import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answers, recognised } from './language-work.js';

test('networks are compared on the videos that all of them could see, each with its own answers', () => {
  const answers = (stage: string, of: [string, number][]): Answers => ({
    ...{ stage, title: stage, role: 'teacher' },
    of: new Map(of.map(([id, value]) => [id, Float32Array.of(value)])),
  });
  const frames = answers('frames', [
    ['long', 1],
    ['short', 2],
    ['longer', 3],
  ]);
  const clips = answers('clips', [
    ['longer', 6],
    ['long', 4],
  ]);
  const { ids, classifiers } = recognised([frames, clips], { by: 'words', prompts: [] });
  assert.deepEqual(ids, ['long', 'longer']);
  assert.deepEqual(
    classifiers.map(({ stage, draws }) => [stage, draws[0]!.map(([value]) => value)]),
    [
      ['frames', [1, 3]],
      ['clips', [4, 6]],
    ],
  );
});
