import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decode, frames } from './decode.js';
import { encode, encodeParts } from './encode.js';
import { gradientFrames, temporaryFolder, videoError } from './fixtures.test.helper.js';
import { probe } from './probe.js';

const shape = { width: 32, height: 24, fps: 12.5 };

test('frames survive encoding and decoding; an array and an iterable give the same file', async (t) => {
  const folder = await temporaryFolder(t);
  const pixels = gradientFrames(20, 24, 32);
  await encode(pixels, join(folder, 'array.mp4'), { ...shape, crf: 10 });
  async function* oneByOne(): AsyncGenerator<Uint8Array> {
    for (let t = 0; t < 20; t++) yield pixels.slice(t * 24 * 32 * 3, (t + 1) * 24 * 32 * 3);
  }
  await encode(oneByOne(), join(folder, 'iterable.mp4'), { ...shape, crf: 10 });
  assert.deepEqual(await readFile(join(folder, 'iterable.mp4')), await readFile(join(folder, 'array.mp4')));
  const info = await probe(join(folder, 'array.mp4'));
  assert.deepEqual([info.codec, info.width, info.height, info.frameRate], ['h264', 32, 24, 12.5]);
  assert.deepEqual([info.frameCount, info.duration, info.pixelFormat], [20, 1.6, 'yuv420p']);
  const video = await decode(join(folder, 'array.mp4'));
  assert.equal(video.data.length, pixels.length);
  const worst = pixels.reduce((most, value, i) => Math.max(most, Math.abs(value - video.data[i]!)), 0);
  assert.ok(worst <= 8, `a pixel is off by ${worst}`);
});

test('a lossless codec gives back exactly the same pixels, also at odd sizes', async (t) => {
  const path = join(await temporaryFolder(t), 'lossless.mkv');
  const pixels = gradientFrames(4, 13, 17);
  await encode(pixels, path, { width: 17, height: 13, fps: 5, codec: 'ffv1', pixelFormat: 'bgr0' });
  assert.deepEqual((await decode(path)).data, pixels);
});

test('wrong input is refused and leaves no file', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.mp4');
  const odd = encode(gradientFrames(1, 24, 33), path, { ...shape, width: 33 });
  await assert.rejects(odd, videoError('invalid-argument', /33 x 24.*yuv420p/));
  await assert.rejects(encode(new Uint8Array(100), path, shape), videoError('invalid-argument', /100 bytes/));
  await assert.rejects(encode([new Uint8Array(7)], path, shape), videoError('invalid-argument', /7 bytes/));
  await assert.rejects(encode([], path, shape), videoError('invalid-argument', /no frame/));
  const unknown = encode(gradientFrames(1, 24, 32), path, { ...shape, codec: 'libnothing' });
  await assert.rejects(unknown, videoError('encode-failed'));
  const noFolder = encode(gradientFrames(1, 24, 32), join(folder, 'no', 'a.mp4'), shape);
  await assert.rejects(noFolder, videoError('unwritable', /no such file/));
  await mkdir(join(folder, 'folder.mp4'));
  const onFolder = encode(gradientFrames(1, 24, 32), join(folder, 'folder.mp4'), shape);
  await assert.rejects(onFolder, videoError('unwritable', /folder/));
  assert.deepEqual(await readdir(folder), ['folder.mp4']);
});

test('an error of the frame source is passed on, and the file that was there stays', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'a.mp4');
  await writeFile(path, 'old');
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield gradientFrames(1, 24, 32);
    throw new Error('no more pictures');
  }
  await assert.rejects(encode(failing(), path, shape), /no more pictures/);
  assert.equal(await readFile(path, 'utf8'), 'old');
  assert.deepEqual(await readdir(folder), ['a.mp4']);
});

test('an abort ends the encoder', async (t) => {
  const folder = await temporaryFolder(t);
  const controller = new AbortController();
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (let t = 0; ; t++) {
      if (t === 30) controller.abort();
      yield gradientFrames(1, 24, 32);
    }
  }
  const encoding = encode(endless(), join(folder, 'a.mp4'), { ...shape, signal: controller.signal });
  await assert.rejects(encoding, videoError('aborted'));
  assert.deepEqual(await readdir(folder), []);
});

test('decoded frames can be written as they come, part of a video in another size and rate', async (t) => {
  const folder = await temporaryFolder(t);
  const whole = join(folder, 'whole.mp4');
  await encode(gradientFrames(20, 24, 32), whole, shape);
  const part = join(folder, 'part.mkv');
  await encode(frames(whole, { startFrame: 5, stride: 3, shortSide: 12 }), part, {
    ...{ width: 16, height: 12, fps: 5 },
    codec: 'ffv1',
    pixelFormat: 'bgr0',
  });
  const expected = await decode(whole, { startFrame: 5, stride: 3, shortSide: 12 });
  const video = await decode(part);
  assert.deepEqual([video.frames, video.data], [5, expected.data]);
});

test('parts of a stream become the files that encoding each alone gives, byte for byte', async (t) => {
  const folder = await temporaryFolder(t);
  const pixels = gradientFrames(20, 24, 32);
  const frame = (k: number): Uint8Array => pixels.subarray(k * 24 * 32 * 3, (k + 1) * 24 * 32 * 3);
  const range = (first: number, end: number) => Array.from({ length: end - first }, (_, k) => frame(first + k));
  const parts = [7, 1, 12].map((count, k) => ({ path: join(folder, `${k}.mp4`), frames: count }));
  await encodeParts(range(0, 20), parts, shape);
  for (const [k, frames] of [range(0, 7), range(7, 8), range(8, 20)].entries()) {
    const alone = join(folder, 'alone.mp4');
    await encode(frames, alone, shape);
    assert.deepEqual(await readFile(parts[k]!.path), await readFile(alone), `part ${k}`);
  }
});

test('parts that do not fit the stream are refused, and none is written', async (t) => {
  const folder = await temporaryFolder(t);
  const frames = Array.from({ length: 5 }, () => gradientFrames(1, 24, 32));
  const parts = [2, 4].map((count, k) => ({ path: join(folder, `${k}.mp4`), frames: count }));
  await assert.rejects(encodeParts(frames, parts, shape), videoError('invalid-argument', /parts have 6 .* has 5/));
  const long = [...frames, ...frames];
  await assert.rejects(encodeParts(long, parts, shape), videoError('invalid-argument', /parts have 6 .* has 10/));
  const empty = encodeParts(frames, [{ path: join(folder, 'a.mp4'), frames: 0 }], shape);
  await assert.rejects(empty, videoError('invalid-argument', /no frames/));
  assert.deepEqual(await readdir(folder), []);
});
