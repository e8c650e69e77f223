import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { memory, scope, type Tensor } from '@chronotope/torch';
import { svtGlobal, svtLocal, testTransform, timebalancePretext, timebalanceTrain } from '../augment/presets.js';
import { shortClips } from '../testing/stored-clips.js';
import { ClipReader, type StoredVideo } from './clip-reader.js';
import { type Batch, ClipLoader, type ClipLoaderOptions } from './loader.js';
import type { ManifestEntry } from './manifest.js';
import { pretextPlan, segmentPlan, similarityPlan, testPlan, trainPlan } from './views.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-loader-'));
after(() => rmSync(folder, { recursive: true }));

const classes = ['jump', 'wave'];
const SIZE = 8;

/** Decoded videos whose every byte of frame k is 10 k + number of the video; number 3 has another frame size. */
const store = new Map<string, StoredVideo>();
const entries: ManifestEntry[] = Array.from({ length: 7 }, (_, number) => {
  const id = `video ${number}.mp4`;
  const [frames, height, width] = [16 + number, number === 3 ? 14 : 10, 12];
  const file = join(folder, `${number}.rgb`);
  writeFileSync(file, storedBytes(number, frames, height * width * 3));
  store.set(id, { file, frames, height, width });
  return { id, path: `/data/${id}`, label: classes[number % 2]!, split: 'train' };
});

const reader = new ClipReader(store);
after(() => reader.dispose());

function storedBytes(number: number, frames: number, frameBytes: number): Uint8Array {
  return Uint8Array.from({ length: frames * frameBytes }, (_, k) => 10 * Math.floor(k / frameBytes) + number);
}

function loader(options: Partial<ClipLoaderOptions> = {}): ClipLoader {
  return new ClipLoader({
    entries,
    classes,
    reader,
    plan: trainPlan(shortClips, timebalanceTrain),
    size: SIZE,
    batchSize: 3,
    seed: 11,
    ...options,
  });
}

function values(tensor: Tensor): number[] {
  return Array.from(tensor.contiguous().data() as Float32Array);
}

function content({ views, labels, ids }: Batch): unknown {
  const numbers = Object.entries(views).map(([name, view]) => [name, view.shape, values(view)]);
  return { numbers, labels: labels?.toArray() ?? null, ids };
}

test('reads the asked-for frames in the asked-for order, grouped by frame size', () => {
  const reader = new ClipReader(store);
  const groups = reader.read([
    { id: 'video 1.mp4', frames: [3, 0, 3] },
    { id: 'video 3.mp4', frames: [5, 6, 7] },
    { id: 'video 2.mp4', frames: [15, 16, 17] },
  ]);
  assert.deepEqual(
    groups.map(({ height, width, positions, frames }) => [height, width, positions, frames.shape, frames.dtype]),
    [
      [10, 12, [0, 2], [2, 3, 10, 12, 3], 'uint8'],
      [14, 12, [1], [1, 3, 14, 12, 3], 'uint8'],
    ],
  );
  const corners = (frames: Tensor): unknown => frames.select(4, 1).select(3, 11).select(2, 9).toArray();
  assert.deepEqual(corners(groups[0]!.frames), [
    [31, 1, 31],
    [152, 162, 172],
  ]);
  assert.deepEqual(corners(groups[1]!.frames), [[53, 63, 73]]);
  reader.dispose();
  assert.throws(() => reader.read([{ id: 'none.mp4', frames: [0] }]), {
    code: 'video-not-stored',
    message: /none\.mp4/,
  });
});

test('a batch is the same whatever was asked for before, and differs between epochs and seeds', () => {
  const first = loader();
  const expected = content(first.batch(2, 1)!);
  assert.deepEqual(content(first.batch(2, 1)!), expected);
  const second = loader();
  second.batch(0, 0)!;
  second.stepBatch(5);
  assert.deepEqual(content(second.batch(2, 1)!), expected);
  assert.notDeepEqual(content(loader().batch(1, 1)!), expected);
  assert.notDeepEqual(content(loader({ seed: 12 }).batch(2, 1)!), expected);
});

test('a video contributes the same clip whoever else is in the set', () => {
  const all = clipsById(loader({ shuffle: false }));
  const some = clipsById(loader({ entries: entries.slice(2, 5), batchSize: 2 }));
  assert.equal(some.size, 3);
  for (const [id, clip] of some) {
    const other = all.get(id)!;
    assert.ok(
      clip.every((value, k) => Math.abs(value - other[k]!) < 1e-5),
      id,
    );
  }
});

function clipsById(clips: ClipLoader): Map<string, number[]> {
  const byId = new Map<string, number[]>();
  for (const { views, ids } of clips.batches(4)) {
    for (const [index, id] of ids.entries()) {
      byId.set(id, values(views.clip!.select(0, index)));
    }
  }
  return byId;
}

test('an epoch holds every video once, in an order of its own, with the labels of its videos', () => {
  const clips = loader();
  const orders = [0, 1].map((epoch) => {
    const ids: string[] = [];
    for (const batch of clips.batches(epoch)) {
      ids.push(...batch.ids);
      const expected = batch.ids.map((id) => classes.indexOf(entries.find((entry) => entry.id === id)!.label!));
      assert.deepEqual(Array.from(batch.labels!.data() as BigInt64Array, Number), expected);
    }
    return ids;
  });
  assert.notDeepEqual(orders[0], orders[1]);
  for (const order of orders) {
    assert.deepEqual(
      [...order].sort(),
      entries.map(({ id }) => id),
    );
  }
  assert.equal(loader({ dropLast: true }).batchesPerEpoch, 2);
  assert.equal(clips.batchesPerEpoch, 3);
  assert.throws(() => clips.batch(0, 3), RangeError);
});

test('step batches are full and run through one epoch after the other, also for a set smaller than a batch', () => {
  const clips = loader({ batchSize: 5 });
  const ids = Array.from({ length: 14 }, (_, step) => clips.stepBatch(step).ids);
  assert.ok(ids.every((batch) => batch.length === 5));
  for (let epoch = 0; epoch < 10; epoch++) {
    const seen = ids.flat().slice(7 * epoch, 7 * (epoch + 1));
    assert.equal(new Set(seen).size, 7, `epoch ${epoch}`);
  }
  const small = loader({ entries: entries.slice(0, 2), batchSize: 5 }).stepBatch(0);
  assert.deepEqual(small.views.clip!.shape, [5, 3, 4, SIZE, SIZE]);
  assert.equal(new Set(small.ids).size, 2);
});

test('plans give the views their methods name, in [0, 1], and mixed frame sizes land in their places', () => {
  const shapes = (options: Partial<ClipLoaderOptions>): Record<string, readonly number[]> => {
    const { views } = loader({ ...options, batchSize: 7, shuffle: false }).batch(0, 0)!;
    assert.ok(Object.values(views).every((view) => values(view).every((value) => value >= 0 && value <= 1)));
    return Object.fromEntries(Object.entries(views).map(([name, view]) => [name, view.shape]));
  };
  const clip = [7, 3, 4, SIZE, SIZE];
  assert.deepEqual(shapes({ plan: pretextPlan(shortClips, timebalancePretext) }), {
    globals: [2, ...clip],
    locals: [2, 2, ...clip],
  });
  const similarity = { clips: 3, stride: 2, placement: 'consecutive', transform: testTransform } as const;
  assert.deepEqual(shapes({ plan: similarityPlan(shortClips, similarity) }), { clips: [3, ...clip] });

  const { views } = loader({
    plan: testPlan(shortClips, { clips: 2, transforms: [testTransform] }),
    batchSize: 7,
    shuffle: false,
  }).batch(0, 0)!;
  // Frames are uniform, so a value tells the video and the frame: the first clip starts at frame 0.
  for (let number = 0; number < 7; number++) {
    const firstClip = views.clips!.select(0, 0).select(0, number);
    for (let frame = 0; frame < 4; frame++) {
      const expected = (10 * 2 * frame + number) / 255;
      assert.ok(values(firstClip.select(1, frame)).every((value) => Math.abs(value - expected) < 1e-6));
    }
  }
});

test('videos too short for the plan are left out by name; none left is an error', () => {
  const long = { ...shortClips, frames: 11 };
  const clips = loader({ plan: pretextPlan(long, timebalancePretext) });
  assert.deepEqual(clips.excluded, [{ id: 'video 0.mp4', reason: 'too short: 16 frames' }]);
  assert.equal(clips.videos, 6);
  const plan = trainPlan({ ...shortClips, frames: 100 }, timebalanceTrain);
  assert.throws(() => loader({ plan }), { code: 'no-usable-videos', message: /none of the 7 videos .*"video 0\.mp4"/ });
  assert.throws(() => loader({ batchSize: 8, dropLast: true }), { code: 'batch-too-large' });
  assert.throws(() => loader({ classes: ['jump'] }), { code: 'unknown-class', message: /"wave"/ });
});

test('a batch with an unlabelled video has no labels', () => {
  const unlabelled = entries.map((entry, k) => (k === 0 ? { ...entry, label: null } : entry));
  assert.equal(loader({ entries: unlabelled, batchSize: 7 }).batch(0, 0)!.labels, null);
});

test('batches leave nothing behind', () => {
  const clips = loader();
  scope(() => void clips.batch(0, 0));
  for (const _ of clips.batches(0)) {
    // Only their disposal matters.
  }
  const before = memory().liveTensors;
  scope(() => void clips.stepBatch(3));
  for (const _ of clips.batches(1)) {
    // Only their disposal matters.
  }
  assert.equal(memory().liveTensors, before);
  assert.ok(clips.seconds > 0);
});

test('views of different sizes and lengths come in one batch', () => {
  const segment = { frames: 4, segmentFrames: 12, shortVideo: 'official', virtualFrames: null } as const;
  const transforms = { globalTransform: svtGlobal, localTransform: svtLocal, localSize: 5 };
  const shapes = (mode: 'standard' | 'varying-frame-rate'): unknown =>
    scope(() => {
      const { views } = loader({ plan: segmentPlan(segment, { mode, ...transforms }) }).batch(0, 0)!;
      return Object.entries(views).map(([name, { shape }]) => [name, ...shape]);
    });
  assert.deepEqual(shapes('standard'), [
    ['globals', 2, 3, 3, 4, SIZE, SIZE],
    ['locals', 8, 3, 3, 4, 5, 5],
  ]);
  assert.deepEqual((shapes('varying-frame-rate') as unknown[]).slice(1, 4), [
    ['global-2', 3, 3, 8, SIZE, SIZE],
    ['local-1', 3, 3, 2, 5, 5],
    ['local-2', 3, 3, 2, 5, 5],
  ]);
});

test('what is inspected is what a batch holds, with the draws that made it', () => {
  const one = loader({ plan: pretextPlan(shortClips, timebalancePretext), batchSize: 7 });
  const whole = one.batch(2, 0)!;
  const id = entries[3]!.id;
  const { clips, batch } = one.inspect(id, 2);
  const column = whole.ids.indexOf(id);
  assert.deepEqual(values(batch.views.locals!.select(2, 0)), values(whole.views.locals!.select(2, column)));
  assert.deepEqual(
    clips.map(({ view, index }) => `${view.name} ${index}`),
    ['globals 0', 'globals 1', 'locals 0', 'locals 1', 'locals 2', 'locals 3'],
  );
  assert.deepEqual(clips[0]!.frames, clips[1]!.frames);
  assert.notDeepEqual(clips[0]!.augmentation, clips[1]!.augmentation);
  assert.throws(() => one.inspect('no such video', 0), RangeError);
});
