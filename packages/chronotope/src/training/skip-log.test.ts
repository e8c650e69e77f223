import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { manualSeed, nn, optim, randn, type Tensor } from '@chronotope/torch';
import type { SkippedSample } from '../data/damaged-videos.js';
import { StageFolder } from './stage-folder.js';
import { trainStage } from './train-stage.js';

const root = mkdtempSync(path.join(tmpdir(), 'chronotope-skips-'));
after(() => rmSync(root, { recursive: true, force: true }));

const REASON = 'the frames are gone';

/** Trains for 12 steps; every third one finds `a` damaged, step 7 also `b`. Stops after a step if told so. */
async function train(name: string, notes: string[], stopAfter = Number.POSITIVE_INFINITY): Promise<StageFolder> {
  const stage = new StageFolder(path.join(root, name), name);
  manualSeed(1);
  const module = new nn.Linear(2, 1);
  const controller = new AbortController();
  let skipped: SkippedSample[] = [];
  const skip = (id: string, replacedBy: string): void => void skipped.push({ id, reason: REASON, replacedBy });
  const takeSkipped = (): SkippedSample[] => {
    const taken = skipped;
    skipped = [];
    return taken;
  };
  await trainStage(stage, module, () => ({
    title: name,
    progress: { begin: () => ({ update: () => {}, end: () => {} }), note: (line) => void notes.push(line) },
    signal: controller.signal,
    loaders: [{ takeSkipped }],
    steps: 12,
    optimizer: new optim.SGD(module.parameters(), { lr: 0.1 }),
    schedule: () => 1,
    batch: (step: number) => {
      if (step % 3 === 0) skip('a', `stand-in ${step}`);
      if (step === 7) skip('b', 'c');
      return randn([4, 2]);
    },
    loss: (x: Tensor, step: number) => {
      if (step + 1 >= stopAfter) controller.abort();
      return { loss: module.call(x).square().mean(), metrics: {}, ids: [] };
    },
  })).finally(() => module.dispose());
  return stage;
}

test('a stage lists its damaged videos and every sample that another stood in for; people are told once', async () => {
  const notes: string[] = [];
  const stage = await train('whole', notes);
  assert.deepEqual(stage.result().damaged, [
    { id: 'a', reason: REASON, samples: 4 },
    { id: 'b', reason: REASON, samples: 1 },
  ]);
  assert.deepEqual(stage.skipped()[1], { step: 4, id: 'a', reason: REASON, replacedBy: 'stand-in 3' });
  assert.deepEqual(
    notes,
    ['a', 'b'].map((id) => `  whole: other videos stand in for ${id}: ${REASON}`),
  );
});

test('an interruption neither loses nor repeats what was skipped', async () => {
  const whole = await train('once', []);
  for (const stopAfter of [1, 4, 7, 8, 9]) {
    const name = `stopped-${stopAfter}`;
    await assert.rejects(train(name, [], stopAfter), { code: 'interrupted' });
    const stage = await train(name, []);
    const log = (folder: string): string => readFileSync(path.join(folder, 'skipped.jsonl'), 'utf8');
    assert.equal(log(stage.folder), log(whole.folder));
    assert.deepEqual(stage.result().damaged, whole.result().damaged);
  }
});
