import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { decode } from './decode.js';
import { ffmpeg, testPicture, videoError } from './fixtures.test.helper.js';
import type { StoredVideo } from './frame-store.js';
import { buildFrameStore } from './frame-store-build.js';
import { readPictures } from './stored-pictures.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-pictures-'));
after(() => rmSync(folder, { recursive: true }));

const size = { height: 48, width: 64 };
const frameBytes = size.height * size.width * 3;
let stored: StoredVideo[];
/** Every picture of each video, decoded one by one. */
let pictures: Buffer[][];

before(async () => {
  const videos = [
    { id: 'long', path: join(folder, 'long.mp4') },
    { id: 'short', path: join(folder, 'short.mp4') },
  ];
  await ffmpeg(...testPicture({ frames: 20 }), videos[0]!.path);
  await ffmpeg(...testPicture({ frames: 3 }), '-vf', 'negate', videos[1]!.path);
  const { store } = await buildFrameStore(join(folder, 'store'), videos, { shortSide: 48, format: 'jpeg' });
  stored = videos.map(({ id }) => store.get(id)!);
  pictures = await Promise.all(
    stored.map(async ({ file, offsets, frames }) => {
      const bytes = await readFile(file);
      const cut = (k: number) => bytes.subarray(offsets![k]!, offsets![k + 1]!);
      return Promise.all(Array.from({ length: frames }, (_, k) => sharp(cut(k)).raw().toBuffer()));
    }),
  );
});

test('a JPEG file holds every frame in order, without gaps, and looks like the video', async () => {
  const [long] = stored as [StoredVideo];
  assert.deepEqual([long.frames, long.height, long.width, long.format], [20, 48, 64, 'jpeg']);
  assert.equal(long.offsets!.length, 21);
  assert.equal((await stat(long.file)).size, long.offsets![20]);
  const { data } = await decode(long.source, { shortSide: 48 });
  const squares = pictures[0]!.flatMap((picture, t) => {
    return Array.from(picture, (value, k) => (value - data[t * frameBytes + k]!) ** 2);
  });
  const meanSquare = squares.reduce((sum, square) => sum + square, 0) / squares.length;
  assert.ok(10 * Math.log10(255 ** 2 / meanSquare) > 33, `mean square error ${meanSquare}`);
});

test('any frames in any order, also repeated, are those that decoding one by one gives', () => {
  const request = fc.nat(1).chain((video) =>
    fc.record({
      video: fc.constant(video),
      frames: fc.array(fc.nat(video === 0 ? 19 : 2), { minLength: 1, maxLength: 6 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 4 }), (requests) => {
      const pixels = readPictures(
        requests.map(({ video, frames }) => ({ ...stored[video]!, offsets: stored[video]!.offsets!, frames })),
        size,
      );
      const expected = requests.flatMap(({ video, frames }) => frames.map((frame) => pictures[video]![frame]!));
      assert.ok(Buffer.from(pixels).equals(Buffer.concat(expected)));
    }),
    { numRuns: 40 },
  );
});

test('what cannot be read is named', () => {
  const [long] = stored as [StoredVideo];
  const read = (change: Partial<{ file: string; offsets: Float64Array; frames: number[] }>, of = size) =>
    readPictures([{ file: long.file, offsets: long.offsets!, frames: [2], ...change }], of);
  const shifted = long.offsets!.map((offset) => offset + 5);
  const cases: [() => Uint8Array, Parameters<typeof videoError>][] = [
    [() => read({ frames: [20] }), ['invalid-argument', /no frame 20: 20 frames/]],
    [() => read({ file: `${long.file}.none` }), ['damaged-store', /ENOENT/]],
    [() => read({ offsets: shifted }), ['damaged-store']],
    [() => read({ offsets: shifted, frames: [19] }), ['damaged-store', /ends 5 bytes too early/]],
    [() => read({}, { height: 64, width: 48 }), ['damaged-store', /64 x 48 pixels instead of 48 x 64/]],
  ];
  for (const [call, error] of cases) assert.throws(call, videoError(...error));
});
