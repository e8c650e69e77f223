import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { loadSafetensors, memory, scope, type Tensor } from '@chronotope/torch';
import { ClipReader, type StoredVideo } from '../../data/clip-reader.js';
import type { ManifestEntry } from '../../data/manifest.js';
import { randomStream } from '../../random.js';
import type { CclRecipe } from '../../recipes/ccl.js';
import { loadRecipeOf } from '../../recipes/load.js';
import { silentProgress } from '../../training/progress.js';
import { StageFolder } from '../../training/stage-folder.js';
import { runCcl } from './pipeline.js';
import { checkQueues, queueLengths, stepSettings, withQueueLengths } from './settings.js';

const folder = mkdtempSync(join(tmpdir(), 'ccl-pipeline-'));
after(() => rmSync(folder, { recursive: true }));

const shipped = (name: string) => loadRecipeOf('ccl', name);
const small = shipped('ccl-small');
const tiny: CclRecipe = {
  ...small,
  model: { ...small.model, width: 2, embedding: 8 },
  pretrain: { ...small.pretrain, epochs: 3, batch: 2 },
};

const VIDEOS = 24;
const store = new Map<string, StoredVideo>();
const entries: ManifestEntry[] = Array.from({ length: VIDEOS }, (_, number) => {
  const id = `${number}.mp4`;
  const [frames, height, width] = [5, 36, 40];
  const file = join(folder, `${number}.rgb`);
  const random = randomStream(1, 'pixels', number);
  writeFileSync(
    file,
    Uint8Array.from({ length: frames * height * width * 3 }, () => random.int(256)),
  );
  store.set(id, { file, frames, height, width, timestamps: [0, 1, 2, 3, 4] });
  return { id, path: id, label: null, split: 'train' };
});
const reader = new ClipReader(store);
after(() => reader.dispose());

/** Trains, with a kill after some logged step if one is given. */
async function train(name: string, recipe = tiny, stopAfter = 0): Promise<StageFolder> {
  const stage = new StageFolder(join(folder, name), 'pretrain');
  const controller = new AbortController();
  let batches = 0;
  const counting = {
    get: (id: string) => {
      // The reader asks for each of a batch's videos; that is when the run is interrupted.
      if (stopAfter > 0 && batches++ > stopAfter * 60) controller.abort();
      return store.get(id);
    },
  };
  const reader = new ClipReader(counting);
  await runCcl({
    recipe: withQueueLengths(recipe, VIDEOS),
    videos: entries,
    reader,
    workers: null,
    device: 'cpu',
    stage: () => stage,
    progress: silentProgress,
    signal: controller.signal,
  }).finally(() => reader.dispose());
  return stage;
}

function contents({ modelFile }: StageFolder): Map<string, unknown> {
  return scope(() => {
    const { tensors } = loadSafetensors(modelFile);
    return new Map([...tensors].map(([key, value]: [string, Tensor]) => [key, [...value.data()]]));
  });
}

test('a run that was interrupted ends with the same weights and queues, bit for bit', async () => {
  const whole = contents(await train('whole'));
  for (const stopAfter of [2, 5]) {
    await assert.rejects(train('stopped', tiny, stopAfter), { code: 'interrupted' });
  }
  const resumed = contents(await train('stopped'));
  assert.ok(whole.has('cycle_queue.keys') && whole.has('queue.videos'));
  assert.deepEqual(resumed, whole);
});

test('the shared training settings reach it: parts of a batch, mixed precision, clipping, checkpoints, curves', async () => {
  const { training, pretrain } = tiny;
  const checkpoints = { every: 5, keep: 2 };
  const settings = { amp: 'bfloat16', accumulate: 2, clipGradients: 0.5, tensorboard: true, checkpoints } as const;
  const recipe = { ...tiny, training: { ...training, ...settings }, pretrain: { ...pretrain, batch: 4, epochs: 2 } };
  const stage = await train('settings', { ...recipe, queue: { ...recipe.queue, intra: 8, cycle: 12, candidates: 4 } });
  const { metrics, step } = stage.metrics().at(-1)!;
  assert.equal(step, 2 * (VIDEOS / 4), 'an epoch has as many steps as without parts');
  assert.ok(metrics.gradientNorm! > 0);
  const files = readdirSync(stage.folder);
  assert.ok(files.includes('step-10.safetensors') && files.includes('events.out.tfevents.chronotope'), `${files}`);
  const weights = contents(stage);
  assert.equal(new Set(weights.get('queue.videos') as bigint[]).size, 8, 'the keys of both parts are in the queue');
});

test('a run learns, and leaves no tensor behind', async () => {
  const before = memory().liveTensors;
  const stage = await train('learning', { ...tiny, pretrain: { ...tiny.pretrain, epochs: 20 } });
  // The garbage collector may have freed what earlier tests left.
  assert.ok(memory().liveTensors <= before);
  const [first, last] = [stage.metrics()[0]!, stage.metrics().at(-1)!];
  assert.ok(last.metrics.loss! < first.metrics.loss!, `${last.metrics.loss} after ${first.metrics.loss}`);
  for (const name of ['intra', 'cycle', 'found', 'returned', 'largestWeight', 'effectiveNeighbours']) {
    assert.ok(Number.isFinite(last.metrics[name]), name);
  }
});

const with_ = (changes: Partial<CclRecipe['objective']>, queue: Partial<CclRecipe['queue']> = {}): CclRecipe => ({
  ...tiny,
  pretrain: { ...tiny.pretrain, epochs: 1 },
  objective: { ...tiny.objective, ...changes },
  queue: { ...tiny.queue, ...queue },
});

const VARIANTS: Record<string, CclRecipe> = {
  'MoCo v2': with_({ kind: 'moco' }),
  'MoCo and cycle': with_({ kind: 'moco-cycle' }),
  'intra only': with_({ kind: 'intra' }),
  'cycle only': with_({ kind: 'cycle' }),
  'a hard neighbour': with_({ neighbour: 'hard' }),
  'the nearest few': with_({ neighbour: 'top-k', nearest: 2 }),
  'the neighbour as the positive': with_({ neighbour: 'as-positive' }),
  'dissimilar negatives': with_({ negatives: 'dissimilar', gap: 1 }),
  'the whole queue for both': with_({}, { candidates: 'all' }),
  'the query among its candidates': with_({ includeSelf: true }),
  'one head': { ...with_({}), model: { ...tiny.model, heads: 'shared', head: 'linear' } },
  'all frames': { ...with_({}), views: { ...tiny.views, candidates: 'all' } },
  'never the frame of the query': { ...with_({}), views: { ...tiny.views, candidates: 2, positiveFrame: 'different' } },
};

for (const [name, recipe] of Object.entries(VARIANTS)) {
  test(`trains with ${name}`, async () => {
    const { metrics } = (await train(name, recipe)).metrics().at(-1)!;
    const { kind } = recipe.objective;
    assert.equal('intra' in metrics, kind !== 'cycle');
    assert.equal('cycle' in metrics, kind !== 'intra' && kind !== 'moco');
  });
}

describe('queue lengths', () => {
  test('official where the recipe gives them', () => {
    assert.deepEqual(queueLengths(withQueueLengths(shipped('ccl-r2v2'), 696_082)), { intra: 65_536, cycle: 81_920 });
    assert.equal(stepSettings(shipped('ccl-r2v2'), 696_082).neighbourCandidates, 16_384);
    assert.equal(stepSettings(shipped('ccl-r2v2-s'), 109_000).maskSameVideo, true);
  });

  test('else in the official proportions, at most half of the videos, multiples of the batch', () => {
    for (const videos of [160, 333, 2000, 100_000]) {
      const { queue } = withQueueLengths(small, videos);
      const [intra, cycle, candidates] = [queue.intra!, queue.cycle!, queue.candidates as number];
      assert.equal(intra, 4 * candidates);
      assert.equal(cycle - candidates, intra);
      assert.equal((intra % small.pretrain.batch) + (cycle % small.pretrain.batch), 0);
      assert.ok(cycle <= videos / 2);
      checkQueues(
        withQueueLengths(small, videos),
        Array.from({ length: videos }, (_, k) => String(k)),
      );
    }
  });
});

describe('what cannot work is said before training', () => {
  const ids = entries.map(({ id }) => id);
  const complete = (recipe: CclRecipe) => withQueueLengths(recipe, VIDEOS);
  const queue = (changes: Partial<CclRecipe['queue']>) => complete(with_({}, changes));

  test('a queue larger than the data', () => {
    assert.throws(() => checkQueues(queue({ intra: 32, cycle: 40, candidates: 8 }), ids), {
      code: 'queue-larger-than-data',
      message: 'the queue of 32 keys (queue.intra) would hold several of each of the 24 videos',
    });
  });

  test('a queue that the batch does not divide, or without negatives', () => {
    assert.throws(() => checkQueues(queue({ intra: 9, cycle: 10, candidates: 2 }), ids), {
      code: 'queue-not-divisible',
    });
    assert.throws(() => checkQueues(queue({ intra: 8, cycle: 10, candidates: 10 }), ids), { code: 'queue-too-short' });
  });

  test('one video only, an id twice, too few videos for the batch', () => {
    assert.throws(() => checkQueues(complete(tiny), ['a']), { code: 'one-video' });
    assert.throws(() => checkQueues(complete(tiny), [...ids, '3.mp4']), { code: 'duplicate-id', message: /"3\.mp4"/ });
    assert.throws(() => withQueueLengths(small, 24), { code: 'too-few-videos', hint: /pretrain\.batch=2/ });
  });

  test('one frame a video, unless crops of it are the positives', async () => {
    const single = new ClipReader({ get: (id) => ({ ...store.get(id)!, frames: 1, timestamps: [0] }) });
    const run = (recipe: CclRecipe, name: string) =>
      runCcl({
        recipe: complete(recipe),
        videos: entries,
        reader: single,
        workers: null,
        device: 'cpu',
        stage: () => new StageFolder(join(folder, name), 'pretrain'),
        progress: silentProgress,
      });
    await assert.rejects(run(tiny, 'single'), { code: 'one-frame', hint: /objective\.kind=moco/ });
    await run(with_({ kind: 'moco' }), 'single-moco');
    single.dispose();
  });
});
