import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { memory, scope } from '@chronotope/torch';
import { testTransform, timebalanceTrain } from '../augment/presets.js';
import { shortClips, storedClips } from '../testing/stored-clips.js';
import { ClipReader } from './clip-reader.js';
import { type Batch, ClipLoader, type ClipLoaderOptions } from './loader.js';
import { testPlan, trainPlan } from './views.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-damaged-'));
after(() => rmSync(folder, { recursive: true }));

const [VIDEOS, FRAMES, SIDE] = [8, 10, 6];
const { store, entries } = storedClips(folder, VIDEOS, () => ({ frames: FRAMES, height: SIDE, width: SIDE }));

/** Every byte of video k is 10 k. */
beforeEach(() => {
  for (const [number, { file }] of [...store.values()].entries()) {
    writeFileSync(file, Buffer.alloc(FRAMES * SIDE * SIDE * 3, 10 * number));
  }
});

const fileOf = (number: number): string => store.get(`video ${number}`)!.file;

function withLoader<T>(options: Partial<ClipLoaderOptions>, use: (loader: ClipLoader) => T): T {
  const reader = new ClipReader(store);
  const plan = trainPlan(shortClips, timebalanceTrain);
  const classes = ['even', 'odd'];
  try {
    return use(new ClipLoader({ entries, classes, reader, plan, size: 4, batchSize: 4, seed: 3, ...options }));
  } finally {
    reader.dispose();
  }
}

const content = ({ views, labels, ids }: Batch): unknown => [views.clip!.toArray(), labels?.toArray(), ids];
const steps = (loader: ClipLoader, count: number): Batch[] =>
  Array.from({ length: count }, (_, k) => loader.stepBatch(k));

test('training: another video of the class stands in for one whose frames are gone, cut off or not in the store', () => {
  rmSync(fileOf(1));
  truncateSync(fileOf(4), 50);
  withLoader({}, (loader) => {
    const healthy = withLoader({}, (one) => one.batchesPerEpoch);
    assert.equal(loader.batchesPerEpoch, healthy);
    const batches = steps(loader, 6);
    for (const { ids, labels } of batches) {
      assert.equal(ids.length, 4);
      assert.ok(!ids.includes('video 1') && !ids.includes('video 4'));
      assert.deepEqual(
        Array.from(labels!.data() as BigInt64Array, Number),
        ids.map((id) => Number(id.at(-1)) % 2),
      );
    }
    assert.deepEqual(loader.damaged.map(({ id }) => id).sort(), ['video 1', 'video 4']);
    assert.match(loader.damaged.find(({ id }) => id === 'video 4')!.reason, /"video 4" are damaged: .* has 50 bytes/);
    const skipped = loader.takeSkipped();
    assert.equal(skipped.length, 2 * 3, 'two videos in each of three epochs');
    for (const { id, replacedBy } of skipped) {
      assert.equal(Number(replacedBy!.at(-1)) % 2, Number(id.at(-1)) % 2);
    }
    assert.deepEqual(loader.takeSkipped(), []);
  });
});

test('training: the healthy places of a batch are what they would be without the damage', () => {
  const whole = withLoader({}, (loader) => steps(loader, 4).map(({ ids }) => ids));
  rmSync(fileOf(2));
  const damaged = withLoader({}, (loader) => steps(loader, 4).map(({ ids }) => ids));
  for (const [step, ids] of whole.entries()) {
    for (const [place, id] of ids.entries()) if (id !== 'video 2') assert.equal(damaged[step]![place], id);
  }
});

test('training: which video stands in depends on the place, not on when the damage was noticed', () => {
  for (const number of [0, 3, 6]) rmSync(fileOf(number));
  const inTurn = withLoader({}, (loader) => steps(loader, 6).map(content));
  for (const step of [5, 2, 3]) {
    assert.deepEqual(
      withLoader({}, (loader) => content(loader.stepBatch(step))),
      inTurn[step],
    );
  }
  const shares = [0, 1].map((rank) =>
    withLoader({ shard: { rank, worldSize: 2 } }, (loader) => steps(loader, 6).map(({ ids }) => ids)),
  );
  const whole = withLoader({}, (loader) => steps(loader, 6).map(({ ids }) => ids));
  assert.deepEqual(
    whole,
    whole.map((_, step) => shares.flatMap((share) => share[step]!)),
  );
});

test('training: a video that stands in for another shows another clip than in its own turn', () => {
  for (let number = 0; number < VIDEOS; number += 2) if (number !== 6) rmSync(fileOf(number));
  withLoader({ batchSize: VIDEOS }, (loader) => {
    const draws = new Set<string>();
    const { ids, views } = loader.stepBatch(0);
    for (const [place, id] of ids.entries()) {
      if (id === 'video 6') draws.add(JSON.stringify(views.clip!.select(0, place).toArray()));
    }
    assert.ok(draws.size >= 2, `${draws.size} different clips of 4`);
  });
});

test('a file that is shortened while it is mapped is noticed before the lost part is touched', () => {
  withLoader({ batchSize: VIDEOS }, (loader) => {
    loader.stepBatch(0);
    truncateSync(fileOf(5), 0);
    assert.ok(!loader.stepBatch(1).ids.includes('video 5'));
    assert.deepEqual(
      loader.damaged.map(({ id }) => id),
      ['video 5'],
    );
  });
});

test('evaluation: damaged videos are left out, each of the others comes once', () => {
  rmSync(fileOf(0));
  rmSync(fileOf(1));
  const plan = testPlan(shortClips, { clips: 2, transforms: [testTransform] });
  withLoader({ plan, shuffle: false, batchSize: 2 }, (loader) => {
    const ids = [...loader.batches(0)].map((batch) => batch.ids);
    assert.deepEqual(ids, [
      ['video 2', 'video 3'],
      ['video 4', 'video 5'],
      ['video 6', 'video 7'],
    ]);
    assert.deepEqual(
      loader.takeSkipped().map(({ id, replacedBy }) => [id, replacedBy]),
      [
        ['video 0', null],
        ['video 1', null],
      ],
    );
  });
});

test('only when no video is left is it an error, and nothing leaks on the way', () => {
  for (const { file } of store.values()) rmSync(file);
  withLoader({}, (loader) => {
    const before = memory().liveTensors;
    scope(() =>
      assert.throws(() => loader.stepBatch(0), { code: 'no-usable-videos', message: /none of the 8 videos/ }),
    );
    assert.equal(memory().liveTensors, before);
    assert.throws(() => [...loader.batches(0)], { code: 'no-usable-videos' });
  });
});
