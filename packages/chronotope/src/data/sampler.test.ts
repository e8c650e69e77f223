import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BatchSampler, type BatchSamplerOptions } from './sampler.js';

/** Sets of 1 to 40 videos of up to 4 classes, some unlabelled, in batches for up to 4 processes. */
const anySet = fc
  .record({
    classes: fc.array(fc.option(fc.nat(3), { nil: null }), { minLength: 1, maxLength: 40 }),
    perRank: fc.integer({ min: 1, max: 5 }),
    worldSize: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(1000),
    shuffle: fc.boolean(),
    balanced: fc.boolean(),
  })
  .map(({ perRank, ...options }) => ({ ...options, batchSize: perRank * options.worldSize }));

const sampler = (options: BatchSamplerOptions): BatchSampler => new BatchSampler(options);

test('the shares of all ranks are disjoint, of one size, and together the batch of a single process', () => {
  fc.assert(
    fc.property(anySet, fc.nat(50), ({ worldSize, ...options }, step) => {
      const ranks = Array.from({ length: worldSize }, (_, rank) => sampler({ ...options, shard: { rank, worldSize } }));
      const whole = sampler(options);
      const shares = ranks.map((rank) => rank.stepBatch(step));
      assert.ok(shares.every(({ length }) => length === options.batchSize / worldSize));
      assert.deepEqual(shares.flat(), whole.stepBatch(step));
      assert.equal(new Set(shares.flat().map(({ epoch, position }) => `${epoch} ${position}`)).size, options.batchSize);
      for (let index = 0; index < whole.batchesPerEpoch; index++) {
        const parts = ranks.map((rank) => rank.epochBatch(3, index));
        assert.deepEqual(parts.flat(), whole.epochBatch(3, index));
        const sizes = parts.map(({ length }) => length);
        assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      }
    }),
  );
});

test('a batch depends on its step alone: asked for again, alone, or after others, it is the same', () => {
  fc.assert(
    fc.property(anySet, fc.array(fc.nat(60), { minLength: 1, maxLength: 8 }), (options, steps) => {
      const one = sampler(options);
      const inTurn = steps.map((step) => one.stepBatch(step));
      for (const [k, step] of steps.entries()) {
        assert.deepEqual(inTurn[k], sampler(options).stepBatch(step));
      }
    }),
  );
});

test('an epoch has every place once, and without balancing every video once', () => {
  fc.assert(
    fc.property(anySet, fc.nat(20), ({ worldSize: _, ...options }, epoch) => {
      const one = sampler(options);
      const places = Array.from({ length: one.batchesPerEpoch }, (_, index) => one.epochBatch(epoch, index)).flat();
      assert.deepEqual(
        places.map(({ position }) => position),
        [...options.classes.keys()],
      );
      const videos = new Set(places.map(({ video }) => video));
      if (!options.balanced) assert.equal(videos.size, options.classes.length);
      assert.equal(places.filter(({ turn }) => turn === 0).length, videos.size);
      // A second turn has random numbers of its own.
      assert.equal(new Set(places.map(({ video, turn }) => `${video} ${turn}`)).size, places.length);
    }),
  );
});

test('steps run through the epochs: the places of steps 0, 1, … are those of epochs 0, 1, …', () => {
  fc.assert(
    fc.property(anySet, ({ worldSize: _, ...options }) => {
      const videos = options.classes.length;
      const one = sampler(options);
      const steps = Math.ceil((3 * videos) / options.batchSize);
      const places = Array.from({ length: steps }, (_, step) => one.stepBatch(step)).flat();
      for (const [count, { epoch, position }] of places.entries()) {
        assert.deepEqual([epoch, position], [Math.floor(count / videos), count % videos]);
      }
    }),
  );
});

test('balanced: in any epoch the classes come equally often, up to one, and so do the videos of a class', () => {
  fc.assert(
    fc.property(anySet, fc.nat(20), ({ worldSize: _, ...options }, epoch) => {
      const one = sampler({ ...options, balanced: true });
      const places = Array.from({ length: one.batchesPerEpoch }, (_, index) => one.epochBatch(epoch, index)).flat();
      const byClass = new Map([...new Set(options.classes)].map((label) => [label, 0]));
      const byVideo = new Map([...options.classes.keys()].map((video) => [video, 0]));
      for (const { video } of places) {
        const label = options.classes[video]!;
        byClass.set(label, byClass.get(label)! + 1);
        byVideo.set(video, byVideo.get(video)! + 1);
      }
      assert.ok(spread([...byClass.values()]) <= 1);
      for (const label of byClass.keys()) {
        const counts = [...byVideo].filter(([video]) => options.classes[video] === label).map(([, count]) => count);
        assert.ok(spread(counts) <= 1);
      }
    }),
  );
});

const spread = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts);

test('balanced, over epochs, shows every video of a large class', () => {
  const classes = [...Array(30).fill(0), 1];
  const one = sampler({ classes, batchSize: 31, seed: 1, balanced: true });
  const seen = new Set(Array.from({ length: 12 }, (_, epoch) => one.epochBatch(epoch, 0)).flatMap(videosOf));
  assert.equal(seen.size, 31);
});

const videosOf = (places: { video: number }[]): number[] => places.map(({ video }) => video);

test('a stand-in is usable, of the same class if there is one, and depends on its place alone', () => {
  const broken = fc.uniqueArray(fc.nat(39), { maxLength: 40 });
  fc.assert(
    fc.property(anySet, fc.nat(30), broken, (options, step, damaged) => {
      const usable = (video: number): boolean => !damaged.includes(video);
      const { classes } = options;
      const one = sampler(options);
      for (const place of one.stepBatch(step)) {
        const found = one.standIn(place, usable);
        assert.deepEqual(found, sampler(options).standIn(place, usable));
        if (found === null) {
          assert.ok([...classes.keys()].every((video) => !usable(video)));
          continue;
        }
        assert.ok(usable(found.video));
        assert.deepEqual([found.epoch, found.position, found.turn], [place.epoch, place.position, place.position + 1]);
        const sameClass = [...classes.keys()].some((v) => usable(v) && classes[v] === classes[place.video]);
        if (sameClass) assert.equal(classes[found.video], classes[place.video]);
      }
    }),
  );
});

test('orders differ between epochs and seeds; without shuffling they are that of the list', () => {
  const classes = Array(20).fill(null);
  const order = (options: Partial<BatchSamplerOptions>, epoch = 0): number[] =>
    videosOf(sampler({ classes, batchSize: 20, seed: 5, ...options }).epochBatch(epoch, 0));
  assert.notDeepEqual(order({}), order({}, 1));
  assert.notDeepEqual(order({}), order({ seed: 6 }));
  assert.deepEqual(order({ shuffle: false }), [...classes.keys()]);
});

test('the last batch is kept or dropped; impossible batches are refused', () => {
  const classes = Array(7).fill(0);
  assert.equal(sampler({ classes, batchSize: 3, seed: 0 }).epochBatch(0, 2).length, 1);
  const dropping = sampler({ classes, batchSize: 3, seed: 0, dropLast: true });
  assert.equal(dropping.batchesPerEpoch, 2);
  assert.throws(() => dropping.epochBatch(0, 2), RangeError);
  assert.throws(() => sampler({ classes, batchSize: 8, seed: 0, dropLast: true }), { code: 'batch-too-large' });
  const shard = { rank: 0, worldSize: 2 };
  assert.throws(() => sampler({ classes, batchSize: 3, seed: 0, shard }), { code: 'batch-not-divisible' });
  assert.throws(() => sampler({ classes, batchSize: 4, seed: 0, shard: { rank: 2, worldSize: 2 } }), RangeError);
});
