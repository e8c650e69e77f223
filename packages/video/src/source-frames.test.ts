import assert from 'node:assert/strict';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ffmpeg, gradientFrames, temporaryFolder } from './fixtures.test.helper.js';
import { FrameStore } from './frame-store.js';
import { buildFrameStore } from './frame-store-build.js';
import type { BuildFrameStoreOptions } from './frame-store-options.js';
import { encodePicture } from './picture.js';
import type { SourceVideo } from './source-video.js';

const FRAMES = 12;
const [HEIGHT, WIDTH, FPS] = [16, 24, 10];
const BYTES = HEIGHT * WIDTH * 3;
const plain: BuildFrameStoreOptions = { shortSide: HEIGHT, format: 'raw' };

/** A folder with a video without loss, the same frames as images, and the video inside an archive-like file. */
async function makeSources(t: TestContext) {
  const folder = await temporaryFolder(t);
  const pixels = gradientFrames(FRAMES, HEIGHT, WIDTH);
  const files = await Promise.all(
    Array.from({ length: FRAMES }, async (_, k) => {
      const file = join(folder, `image ${k}.png`);
      const data = pixels.subarray(k * BYTES, (k + 1) * BYTES);
      await writeFile(file, await encodePicture({ data, height: HEIGHT, width: WIDTH }, { format: 'png' }));
      return file;
    }),
  );
  const video = join(folder, 'vidéo.mkv');
  const input = ['-framerate', String(FPS), '-i', join(folder, 'image %d.png')];
  await ffmpeg(...input, '-c:v', 'ffv1', '-pix_fmt', 'bgr0', video);
  const bytes = await readFile(video);
  const archive = join(folder, 'shard.tar');
  await writeFile(archive, Buffer.concat([Buffer.alloc(512, 7), bytes, Buffer.alloc(100, 9)]));
  const member = { name: 'inside/a.mkv', offset: 512, size: bytes.length };
  return { folder, store: join(folder, 'store'), pixels, video, files, archive, member };
}

/** Builds a store of one video and returns its frames, uint8 [T, H, W, 3], and times. */
async function stored(store: string, video: Omit<SourceVideo, 'id'>, options: Partial<BuildFrameStoreOptions> = {}) {
  const result = await buildFrameStore(store, [{ id: 'x', ...video }], { ...plain, ...options });
  assert.deepEqual(result.failed, []);
  const { file, timestamps, frameRate } = result.store.get('x')!;
  return { frames: await readFile(file), timestamps, frameRate };
}

const numbers = (frames: Buffer, pixels: Uint8Array): number[] =>
  Array.from({ length: frames.length / BYTES }, (_, k) => {
    const frame = frames.subarray(k * BYTES, (k + 1) * BYTES);
    return Array.from({ length: FRAMES }, (_, n) => n).findIndex((n) =>
      frame.equals(pixels.subarray(n * BYTES, (n + 1) * BYTES)),
    );
  });

test('images are the frames of a video, in their order, at their rate or an even one', async (t) => {
  const { folder, store, pixels, files } = await makeSources(t);
  const images = { files, fps: 12 };
  const all = await stored(store, { path: folder, images });
  assert.ok(all.frames.equals(pixels));
  assert.deepEqual([all.timestamps[6], Math.round(all.frameRate)], [0.5, 12]);
  const half = await stored(store, { path: folder, images }, { fps: 6 });
  assert.deepEqual(numbers(half.frames, pixels), [0, 2, 4, 6, 8, 10]);
  const double = await stored(store, { path: folder, images: { files: files.slice(0, 2), fps: 12 } }, { fps: 24 });
  assert.deepEqual(numbers(double.frames, pixels), [0, 0, 1, 1]);
  const first = await stored(store, { path: folder, images }, { maxFrames: 5 });
  assert.deepEqual(numbers(first.frames, pixels), [0, 1, 2, 3, 4]);
});

test('a clip holds exactly the frames of its range, by time or by number', async (t) => {
  const { store, pixels, video } = await makeSources(t);
  const clip = async (unit: 'seconds' | 'frames', start: number, end: number | null, options = {}) =>
    numbers((await stored(store, { path: video, clip: { unit, start, end } }, options)).frames, pixels);
  assert.deepEqual(await clip('frames', 3, 7), [3, 4, 5, 6]);
  assert.deepEqual(await clip('seconds', 0.3, 0.7), [3, 4, 5, 6]);
  assert.deepEqual(await clip('frames', 9, null), [9, 10, 11]);
  assert.deepEqual(await clip('seconds', 0, 0.2), [0, 1]);
  assert.deepEqual(await clip('frames', 3, 9, { maxFrames: 2 }), [3, 4]);
  assert.deepEqual(await clip('frames', 4, 10, { fps: 5 }), [4, 6, 8]);
});

test('clips of one file are different videos, and one behind its end is left out with the reason', async (t) => {
  const { store, video } = await makeSources(t);
  const clip = (start: number, end: number) => ({ path: video, clip: { unit: 'frames' as const, start, end } });
  const videos = [
    { id: 'a', ...clip(0, 4) },
    { id: 'b', ...clip(4, 8) },
    { id: 'same', ...clip(0, 4) },
    { id: 'behind', ...clip(50, 60) },
  ];
  const { stored: count, reused, failed } = await buildFrameStore(store, videos, plain);
  assert.deepEqual([count, reused], [2, 1]);
  assert.deepEqual(
    failed.map(({ id, code, reason }) => [id, code, reason]),
    [['behind', 'too-short', 'There are no frames from 50 to 60 (frames).']],
  );
  const opened = await FrameStore.open(store, videos);
  assert.deepEqual(opened.ids, ['a', 'b', 'same']);
});

test('a video inside an archive has the frames that it has outside, and errors name it', async (t) => {
  const { store, pixels, archive, member } = await makeSources(t);
  const { frames } = await stored(store, { path: archive, member });
  assert.ok(frames.equals(pixels));
  const clip = { unit: 'frames' as const, start: 1, end: 3 };
  assert.deepEqual(numbers((await stored(store, { path: archive, member, clip })).frames, pixels), [1, 2]);
  const cut = { id: 'cut', path: archive, member: { ...member, size: 300 } };
  const { failed } = await buildFrameStore(store, [cut], plain);
  assert.equal(failed[0]!.path, `${archive}, inside/a.mkv`);
  assert.ok((await readdir(store)).every((name) => !name.endsWith('.tmp')));
});

test('an image that is missing or broken leaves its video out, by name', async (t) => {
  const { folder, store, files } = await makeSources(t);
  const video = { id: 'x', path: folder, images: { files, fps: FPS } };
  await writeFile(files[7]!, 'no picture');
  assert.deepEqual(
    (await buildFrameStore(store, [video], plain)).failed.map(({ code, path }) => [code, path]),
    [['undecodable', files[7]]],
  );
  await rm(files[7]!);
  assert.deepEqual(
    (await buildFrameStore(store, [video], plain)).failed.map(({ code, path }) => [code, path]),
    [['not-found', files[7]]],
  );
});

test('damaged frames of clips, images and archived videos are made again', async (t) => {
  const { folder, store, video, files, archive, member } = await makeSources(t);
  const videos: SourceVideo[] = [
    { id: 'clip', path: video, clip: { unit: 'frames', start: 2, end: 5 } },
    { id: 'images', path: folder, images: { files, fps: FPS } },
    { id: 'member', path: archive, member },
  ];
  const { store: built } = await buildFrameStore(store, videos, plain);
  for (const { id } of videos) {
    const { file } = built.get(id)!;
    const before = await readFile(file);
    await truncate(file, 10);
    built.repair(id);
    assert.ok(before.equals(await readFile(file)), id);
  }
});
