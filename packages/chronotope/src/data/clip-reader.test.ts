import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { scope } from '@chronotope/torch';
import { buildFrameStore, decode, encode, type FrameStore, type StoreFormat } from '@chronotope/video';
import { ClipReader } from './clip-reader.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-reader-'));
after(() => rmSync(folder, { recursive: true }));

const shortSide = 24;
const videos = [0, 1].map((number) => ({ id: `video ${number}`, path: join(folder, `${number}.mp4`) }));
/** The frames of each video as they were decoded, each uint8 [H, W, 3]. */
const decoded: Uint8Array[][] = [];

/** A picture that is different in every frame and video, and smooth enough for JPEG. */
function* movingGradient(video: number, frames: number): Generator<Uint8Array> {
  for (let t = 0; t < frames; t++) {
    yield Uint8Array.from({ length: 32 * 48 * 3 }, (_, k) => {
      const [x, c] = [Math.floor(k / 3) % 48, k % 3];
      return 20 + ((8 * t + 60 * video + 30 * c) % 130) + x;
    });
  }
}

before(async () => {
  for (const [number, { path }] of videos.entries()) {
    await encode(movingGradient(number, 12), path, { width: 48, height: 32, fps: 10 });
    const { data, frames } = await decode(path, { shortSide });
    const bytes = data.length / frames;
    decoded.push(Array.from({ length: frames }, (_, t) => data.subarray(t * bytes, (t + 1) * bytes)));
  }
});

async function build(name: string, format: StoreFormat): Promise<FrameStore> {
  const { store, failed } = await buildFrameStore(join(folder, name), videos, { shortSide, format });
  assert.deepEqual(failed, []);
  return store;
}

const requests = [
  { id: 'video 1', frames: [11, 0, 0] },
  { id: 'video 0', frames: [3, 4, 5] },
  { id: 'video 1', frames: [1, 0, 2] },
];

/** The pixels of the three clips, in the order of the requests. */
function read(reader: ClipReader): Uint8Array {
  return scope(() => {
    const groups = reader.read(requests);
    assert.deepEqual(
      groups.map(({ positions, frames }) => [positions, frames.shape, frames.dtype]),
      [[[0, 1, 2], [3, 3, 24, 36, 3], 'uint8']],
    );
    return Uint8Array.from(groups[0]!.frames.contiguous().data() as Uint8Array);
  });
}

function expected(): Uint8Array {
  const frames = requests.flatMap(({ id, frames }) => frames.map((frame) => decoded[Number(id.slice(-1))]![frame]!));
  return Uint8Array.from(Buffer.concat(frames));
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((sum, value, k) => sum + Math.abs(value - b[k]!), 0) / a.length;
}

test('a raw store delivers the decoded frames, a JPEG store the same ones within the loss of JPEG', async () => {
  const raw = new ClipReader(await build('raw', 'raw'));
  const jpeg = new ClipReader(await build('jpeg', 'jpeg'));
  assert.deepEqual(read(raw), expected());
  const difference = meanDifference(read(jpeg), expected());
  assert.ok(difference < 2, `${difference}`);
  assert.deepEqual(read(jpeg), read(jpeg));
  raw.dispose();
});

for (const format of ['raw', 'jpeg'] as const) {
  test(`${format}: lost and cut-off frames are made again while reading, and this is said`, async () => {
    const store = await build(`repair-${format}`, format);
    const whole = read(new ClipReader(store));
    rmSync(store.get('video 0')!.file);
    truncateSync(store.get('video 1')!.file, 50);
    const repaired: string[] = [];
    const reader = new ClipReader(store, {
      onRepair: (id, reason) => {
        assert.match(reason, /damaged/);
        repaired.push(id);
      },
    });
    assert.deepEqual(read(reader), whole);
    assert.deepEqual(repaired.sort(), ['video 0', 'video 1']);
    assert.deepEqual(await store.verify(), []);
    reader.dispose();
  });
}

test('a picture of the right length that does not decode is made again as well', async () => {
  const store = await build('altered', 'jpeg');
  const whole = read(new ClipReader(store));
  const { file, offsets } = store.get('video 0')!;
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(40), 0, 40, offsets![3]!);
  closeSync(handle);
  const repaired: string[] = [];
  assert.deepEqual(read(new ClipReader(store, { onRepair: (id) => repaired.push(id) })), whole);
  assert.deepEqual(repaired, ['video 0']);
});

test('damaged frames whose video is gone: an error that names them, and the next build leaves the video out', async () => {
  const store = await build('gone', 'jpeg');
  const { path } = videos[0]!;
  const intact = readFileSync(store.get('video 0')!.file);
  rmSync(store.get('video 0')!.file);
  renameSync(path, `${path}.moved`);
  try {
    const reader = new ClipReader(store);
    assert.throws(() => read(reader), { code: 'frames-damaged', message: /"video 0".*no such file/ });
    const next = await buildFrameStore(join(folder, 'gone'), videos, { shortSide, format: 'jpeg' });
    assert.deepEqual([next.store.ids, next.failed[0]!.id, next.failed[0]!.code], [['video 1'], 'video 0', 'not-found']);
  } finally {
    renameSync(`${path}.moved`, path);
  }
  const { store: again } = await buildFrameStore(join(folder, 'gone'), videos, { shortSide, format: 'jpeg' });
  assert.deepEqual(readFileSync(again.get('video 0')!.file), intact);
});
