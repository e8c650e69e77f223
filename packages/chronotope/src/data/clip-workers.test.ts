import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { memory, scope, type Tensor } from '@chronotope/torch';
import { timebalancePretext, timebalanceTrain } from '../augment/presets.js';
import { shortClips, storedClips } from '../testing/stored-clips.js';
import { ClipReader, type VideoStore } from './clip-reader.js';
import { automaticWorkers, ClipWorkers, type ViewsJob } from './clip-workers.js';
import { type Batch, ClipLoader, type ClipLoaderOptions } from './loader.js';
import { pretextPlan, trainPlan } from './views.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-workers-'));
const [VIDEOS, FRAMES, STEPS] = [9, 12, 8];
/** Two frame sizes, so that a batch is put together from groups. */
const { store, entries } = storedClips(folder, VIDEOS, (number) => ({
  frames: FRAMES,
  height: number === 3 ? 14 : 10,
  width: 12,
}));

function writeFrames(number: number): void {
  const { file, frames, height, width } = store.get(`video ${number}`)!;
  const pixels = Uint8Array.from({ length: frames * height * width * 3 }, (_, k) => (k * 7919 + number * 31) >> 3);
  writeFileSync(`${file}.new`, pixels);
  renameSync(`${file}.new`, file);
}

const pools = [null, new ClipWorkers(1), new ClipWorkers(2)];
before(() => entries.forEach((_, number) => void writeFrames(number)));
after(async () => {
  await Promise.all(pools.map((pool) => pool?.dispose()));
  rmSync(folder, { recursive: true });
});

const plans = {
  clip: trainPlan(shortClips, timebalanceTrain),
  views: pretextPlan(shortClips, timebalancePretext),
};

async function withLoader<T>(
  options: Partial<ClipLoaderOptions>,
  use: (loader: ClipLoader) => Promise<T>,
  videos: VideoStore = store,
): Promise<T> {
  const reader = new ClipReader(videos);
  const common = { entries, classes: ['even', 'odd'], plan: plans.clip, size: 8, batchSize: 4, seed: 3 };
  try {
    return await use(new ClipLoader({ ...common, ...options, reader }));
  } finally {
    reader.dispose();
  }
}

async function steps(loader: ClipLoader, from = 0): Promise<unknown[]> {
  const contents: unknown[] = [];
  for (let step = from; step < STEPS; step++) {
    await loader.prepare(step, STEPS);
    contents.push(scope(() => content(loader.stepBatch(step))));
  }
  return contents;
}

const bytes = (tensor: Tensor): unknown => [
  tensor.shape,
  createHash('sha256').update(Buffer.from(tensor.data().buffer)).digest('hex'),
];
const content = ({ views, labels, ids }: Batch): unknown => [
  Object.entries(views).map(([name, view]) => [name, bytes(view)]),
  labels && bytes(labels),
  ids,
];

for (const [name, plan] of Object.entries(plans)) {
  test(`${name}: batches are the same, bit for bit, with 0, 1 and 2 workers and from any step on`, async () => {
    const expected = await withLoader({ plan }, (loader) => steps(loader));
    for (const workers of pools) {
      assert.deepEqual(await withLoader({ plan, workers }, (loader) => steps(loader)), expected);
      const resumed = await withLoader({ plan, workers, ahead: 5 }, (loader) => steps(loader, 3));
      assert.deepEqual(resumed, expected.slice(3));
    }
  });
}

test('a batch that was not prepared, or not waited for, is made at once and is the same', async () => {
  const expected = await withLoader({}, (loader) => steps(loader));
  await withLoader({ workers: pools[2] }, async (loader) => {
    void loader.prepare(0);
    assert.deepEqual(
      scope(() => content(loader.stepBatch(0))),
      expected[0],
    );
    assert.deepEqual(
      scope(() => content(loader.stepBatch(6))),
      expected[6],
    );
    await loader.prepare(2);
    assert.deepEqual(
      scope(() => content(loader.stepBatch(2))),
      expected[2],
    );
  });
});

test('damaged videos are replaced and listed as without workers, whenever that is noticed', async () => {
  const outcome = (workers: ClipWorkers | null) =>
    withLoader({ workers }, async (loader) => {
      const contents = await steps(loader);
      return { contents, skipped: loader.takeSkipped(), damaged: loader.damaged };
    });
  rmSync(store.get('video 1')!.file);
  truncateSync(store.get('video 4')!.file, 50);
  const expected = await outcome(null);
  assert.equal(expected.damaged.length, 2);
  assert.ok(expected.skipped.length > 4);
  // New threads: those of the other tests have the frames mapped still.
  for (const count of [1, 2]) {
    const workers = new ClipWorkers(count);
    assert.deepEqual(await outcome(workers), expected);
    await workers.dispose();
  }
  for (const number of [1, 4]) writeFrames(number);
});

test('frames that are lost while batches are made ahead are made again by the thread that trains', async () => {
  const expected = await withLoader({}, (loader) => steps(loader));
  const repaired: string[] = [];
  const videos: VideoStore = {
    get: (id) => store.get(id),
    repair: (id) => {
      repaired.push(id);
      writeFrames(Number(id.at(-1)));
    },
  };
  const run = async (loader: ClipLoader): Promise<unknown[]> => {
    await steps(loader, STEPS - 2);
    // The workers have mapped them; the second one is put back as another file, the first one is cut off.
    truncateSync(store.get('video 2')!.file, 50);
    const { file } = store.get('video 5')!;
    cpSync(file, `${file}.copy`);
    truncateSync(file, 50);
    renameSync(`${file}.copy`, file);
    return steps(loader);
  };
  assert.deepEqual(await withLoader({ workers: pools[2] }, run, videos), expected);
  assert.deepEqual(repaired, ['video 2']);
});

test('no more batches than wanted are made ahead, in memory that is used again and again', async () => {
  const buffers = new Set<ArrayBufferLike>();
  let jobs = 0;
  class Counted extends ClipWorkers {
    override make(job: ViewsJob): Promise<boolean> {
      jobs += 1;
      for (const { buffer } of Object.values(job.memory)) buffers.add(buffer);
      return super.make(job);
    }
  }
  const workers = new Counted(1);
  const before = memory().liveTensors;
  await withLoader({ workers, ahead: 2, plan: plans.views }, async (loader) => {
    await loader.prepare(0);
    assert.equal(jobs, 3);
    await steps(loader);
  });
  assert.equal(jobs, STEPS, 'none beyond the last step');
  assert.ok(buffers.size <= 4, `${buffers.size} buffers`);
  assert.equal(memory().liveTensors, before);
  await workers.dispose();
});

test('a thread that ends by itself is an error with a code, for this loader and the next', async (t) => {
  const workers = new ClipWorkers(1);
  t.mock.method(Worker.prototype, 'postMessage', function (this: Worker) {
    void this.terminate();
  });
  const ended = { code: 'loader-worker-ended', hint: /--workers/ };
  await withLoader({ workers }, (loader) => assert.rejects(loader.prepare(0), ended));
  await withLoader({ workers }, (loader) => assert.rejects(loader.prepare(0), ended));
  await workers.dispose();
});

test('disposing ends the threads, also in the middle of their work', async () => {
  const workers = new ClipWorkers(2);
  await withLoader({ workers }, async (loader) => {
    const waiting = loader.prepare(0);
    await workers.dispose();
    await waiting;
    assert.equal(
      scope(() => loader.stepBatch(0).ids.length),
      4,
    );
  });
});

test('by default one thread for two cores makes batches, and four at most', () => {
  assert.deepEqual([1, 2, 3, 4, 8, 64].map(automaticWorkers), [0, 1, 1, 2, 4, 4]);
});
