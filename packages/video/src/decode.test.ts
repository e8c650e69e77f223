import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { liveChildCount } from './children.js';
import { type DecodedVideo, decode, frames } from './decode.js';
import { encode } from './encode.js';
import {
  ffmpeg,
  frameHashes,
  frameMd5,
  gradientFrames,
  md5,
  temporaryFolder,
  testPicture,
  twoAtATime,
  videoError,
} from './fixtures.test.helper.js';
import { probe } from './probe.js';

/** Name of the file and ffmpeg's arguments that make it from the test picture. */
const codecs: [string, string[]][] = [
  ['h264, B-frames, one long GOP.mp4', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-bf', '3', '-g', '250']],
  ['h264, short GOPs, no B-frames.mkv', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-bf', '0', '-g', '5']],
  ['h264 4:4:4.mp4', ['-c:v', 'libx264', '-pix_fmt', 'yuv444p']],
  ['h264 10 bit, full range.mp4', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p10le', '-color_range', 'pc']],
  ['hevc.mp4', ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error', '-pix_fmt', 'yuv420p']],
  ['vp9.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8']],
  ['vp8 with alpha.webm', ['-vf', 'format=yuva420p', '-c:v', 'libvpx', '-deadline', 'realtime', '-auto-alt-ref', '0']],
  ['mpeg4 with B-frames.avi', ['-c:v', 'mpeg4', '-bf', '2']],
  ['mpeg2.mpg', ['-c:v', 'mpeg2video', '-bf', '2']],
  ['mjpeg.mov', ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p']],
  ['animation.gif', []],
];

test('every frame equals what FFmpeg itself decodes, for all common codecs and containers', async (t) => {
  const folder = await temporaryFolder(t);
  await twoAtATime(codecs, async ([name, args]) => {
    const path = join(folder, name);
    try {
      await ffmpeg(...testPicture({ frames: 20 }), ...args, `file:${path}`);
    } catch (error) {
      if (!/Unknown encoder/.test(`${error}`)) throw error;
      t.diagnostic(`skipped ${name}: this FFmpeg has no such encoder`);
      return;
    }
    const video = await decode(path);
    assert.deepEqual(frameHashes(video), await frameMd5(path), name);
    assert.equal(video.frames, 20, name);
    assert.equal(video.complete, true, `${name}: ${video.warnings}`);
    const interval = (video.timestamps.at(-1)! - video.timestamps[0]!) / 19;
    assert.ok(Math.abs(interval - 0.04) < 1e-3, `${name}: one frame takes ${interval} s`);
  });
});

test('paths with spaces, quotes, a leading dash, other scripts, and printf patterns work', async (t) => {
  const folder = await temporaryFolder(t);
  const pixels = gradientFrames(3, 16, 16);
  for (const name of [
    '-i.mp4',
    "it's a; $(test) & more.mp4",
    'Üß 走る кот.mp4',
    'img%03d.mp4',
    '100%d.mp4',
    'a:b,c[d].mp4',
  ]) {
    const path = join(folder, name);
    await encode(pixels, path, { width: 16, height: 16, fps: 10 });
    assert.equal((await decode(path)).frames, 3, name);
  }
  const dash = relative(process.cwd(), join(folder, '-i.mp4'));
  assert.equal((await decode(dash)).frames, 3, 'relative');
});

test('sizes: short side, exact size, and odd sizes', async (t) => {
  const path = join(await temporaryFolder(t), 'odd.mp4');
  await ffmpeg(...testPicture({ frames: 3 }), '-vf', 'scale=87:53,setsar=1', '-pix_fmt', 'yuv444p', path);
  const native = await decode(path);
  assert.deepEqual([native.width, native.height], [87, 53]);
  const small = await decode(path, { shortSide: 32 });
  assert.deepEqual([small.width, small.height, small.data.length], [53, 32, 3 * 53 * 32 * 3]);
  assert.deepEqual(frameHashes(small), await frameMd5(path, '-vf', 'scale=53:32:flags=bicubic'));
  const exact = await decode(path, { size: { width: 31, height: 17 } });
  assert.deepEqual([exact.width, exact.height, exact.data.length], [31, 17, 3 * 31 * 17 * 3]);
  await assert.rejects(decode(path, { shortSide: 8, size: { width: 8, height: 8 } }), videoError('invalid-argument'));
  await assert.rejects(decode(path, { shortSide: 0 }), videoError('invalid-argument'));
  await assert.rejects(decode(path, { fps: -1 }), videoError('invalid-argument', /fps/));
});

test('rotation in the metadata is applied, clockwise as players do', async (t) => {
  const folder = await temporaryFolder(t);
  const upright = join(folder, 'upright.mp4');
  await ffmpeg(...testPicture({ width: 64, height: 32, frames: 2 }), '-c:v', 'libx264', '-pix_fmt', 'yuv444p', upright);
  const original = await decode(upright);
  for (const clockwise of [90, 180, 270] as const) {
    const path = join(folder, `${clockwise}.mp4`);
    await writeFile(path, withRotation(await readFile(upright), clockwise));
    const info = await probe(path);
    const video = await decode(path);
    assert.equal(info.rotation, clockwise);
    assert.deepEqual([info.width, info.height], clockwise === 180 ? [64, 32] : [32, 64]);
    assert.deepEqual(pixel(video, 3, 5), pixel(original, ...sourceOfRotated(3, 5, clockwise, 64, 32)));
  }
});

/** Writes the display matrix of a rotation into the track header of an MP4. */
function withRotation(mp4: Buffer, clockwise: 90 | 180 | 270): Buffer {
  const [cos, sin] = { 90: [0, 1], 180: [-1, 0], 270: [0, -1] }[clockwise] as [number, number];
  const matrix = mp4.indexOf('tkhd') + 44;
  for (const [entry, value] of [cos, sin, 0, -sin, cos].entries()) mp4.writeInt32BE(value * 65536, matrix + 4 * entry);
  return mp4;
}

function pixel({ data, width }: DecodedVideo, x: number, y: number): number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

function sourceOfRotated(x: number, y: number, clockwise: number, width: number, height: number): [number, number] {
  if (clockwise === 90) return [y, height - 1 - x];
  if (clockwise === 180) return [width - 1 - x, height - 1 - y];
  return [width - 1 - y, x];
}

test('non-square pixels are made square without losing lines or columns', async (t) => {
  const folder = await temporaryFolder(t);
  for (const [sar, width, height] of [
    ['2/1', 128, 48],
    ['1/2', 64, 96],
    ['1280/1281', 64, 48],
  ] as const) {
    const path = join(folder, `${sar.replace('/', '-')}.mp4`);
    await ffmpeg(...testPicture({ frames: 2 }), '-vf', `setsar=${sar}`, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', path);
    const video = await decode(path);
    assert.deepEqual([video.width, video.height], [width, height], sar);
  }
});

test('variable frame rate: every frame once, with its own time; fps makes it even', async (t) => {
  const path = join(await temporaryFolder(t), 'vfr.mp4');
  const select = "select='not(eq(mod(n,5),1))*not(eq(mod(n,7),3))'";
  const args = ['-vf', select, '-vsync', 'vfr', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-bf', '2'];
  await ffmpeg(...testPicture({ frames: 35, fps: 25 }), ...args, path);
  const expected = Array.from({ length: 35 }, (_, n) => n).filter((n) => n % 5 !== 1 && n % 7 !== 3);
  const video = await decode(path);
  assert.deepEqual(frameHashes(video), await frameMd5(path));
  assert.deepEqual(
    [...video.timestamps].map((time) => Math.round(time * 25)),
    expected,
  );
  const even = await decode(path, { fps: 12.5 });
  const gaps = [...even.timestamps].slice(1).map((time, i) => time - even.timestamps[i]!);
  assert.ok(gaps.every((gap) => Math.abs(gap - 0.08) < 1e-6));
  assert.ok(Math.abs(even.frames - 17) <= 1);
});

test('a start time other than 0 is kept as pts, and one frame is a video', async (t) => {
  const folder = await temporaryFolder(t);
  const late = join(folder, 'late.mkv');
  await ffmpeg(...testPicture({ frames: 5 }), '-output_ts_offset', '7.5', '-c:v', 'libx264', late);
  const { timestamps, pts } = await decode(late);
  assert.ok(timestamps[0] === 0 && Math.abs(timestamps[4]! - 0.16) < 1e-9 && pts[0] === 7500, `${timestamps}`);
  const single = join(folder, 'single.mp4');
  await encode(gradientFrames(1, 16, 16), single, { width: 16, height: 16, fps: 25 });
  const video = await decode(single);
  assert.deepEqual([video.frames, video.complete], [1, true]);
});

test('sound is ignored, and longer sound than picture is no damage', async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ['sound.mp4', 'sound.mkv', 'sound.avi']) {
    const path = join(folder, name);
    await ffmpeg(...testPicture({ frames: 10 }), '-f', 'lavfi', '-i', 'sine=duration=3', '-c:v', 'mpeg4', path);
    const video = await decode(path);
    assert.equal(video.frames, 10, name);
    // AVI headers count one frame too many here.
    assert.ok(video.complete || name === 'sound.avi', `${name}: ${video.warnings}`);
  }
});

test('an edit list that hides frames is no damage', async (t) => {
  const folder = await temporaryFolder(t);
  const whole = join(folder, 'whole.mp4');
  await ffmpeg(...testPicture({ frames: 50 }), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', whole);
  const cut = join(folder, 'cut.mp4');
  await ffmpeg('-ss', '1.5', '-i', whole, '-c', 'copy', cut);
  const video = await decode(cut);
  assert.ok(video.frames < 15 && video.complete, `${video.frames} frames, ${video.warnings}`);
});

test('files that are no usable video are named with the reason', async (t) => {
  const folder = await temporaryFolder(t);
  const file = (name: string): string => join(folder, name);
  await writeFile(file('empty.mp4'), '');
  await writeFile(file('text.mp4'), 'This is a shopping list, not a video.\n'.repeat(50));
  await writeFile(file('zeros.mp4'), new Uint8Array(10_000));
  await mkdir(file('folder.mp4'));
  await ffmpeg('-f', 'lavfi', '-i', 'sine=duration=1', file('sound.mp4'));
  for (const [name, code] of [
    ['empty.mp4', 'empty-file'],
    ['text.mp4', 'not-a-video'],
    ['zeros.mp4', 'not-a-video'],
    ['folder.mp4', 'not-a-file'],
    ['missing.mp4', 'not-found'],
    ['sound.mp4', 'no-video-stream'],
  ] as const) {
    await assert.rejects(probe(file(name)), videoError(code), name);
    await assert.rejects(decode(file(name)), videoError(code), name);
  }
});

test('truncated files are told from complete ones, in every container that states its length', async (t) => {
  const folder = await temporaryFolder(t);
  const complete: [string, string[]][] = [
    ['index last.mp4', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p']],
    ['index first.mp4', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-movflags', '+faststart']],
    ['matroska.mkv', ['-c:v', 'mpeg4', '-g', '5']],
    ['plain.avi', ['-c:v', 'mpeg4', '-g', '5']],
  ];
  await twoAtATime(complete, async ([name, args]) => {
    const whole = join(folder, name);
    await ffmpeg(...testPicture({ width: 160, height: 120, frames: 60 }), ...args, `file:${whole}`);
    assert.equal((await decode(whole)).complete, true, name);
    const cut = join(folder, `cut ${name}`);
    await copyFile(whole, cut);
    await truncate(cut, Math.floor((await readFile(whole)).length * 0.6));
    await assert.rejects(decode(cut), videoError('truncated'), name);
    if (name === 'index last.mp4') return;
    const rest = await decode(cut, { truncated: 'accept' });
    assert.ok(!rest.complete && rest.frames > 2 && rest.frames < 54, `${name}: ${rest.frames}`);
    assert.match(rest.warnings.join(' '), /Only/);
    assert.equal((await decode(cut, { maxFrames: 2 })).complete, true, 'the wanted part is there');
  });
});

test('a few missing frames are a warning', async (t) => {
  const folder = await temporaryFolder(t);
  const whole = join(folder, 'whole.mp4');
  const args = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-g', '1', '-movflags', '+faststart'];
  await ffmpeg(...testPicture({ frames: 60 }), ...args, whole);
  await truncate(whole, (await readFile(whole)).length - 60);
  const video = await decode(whole);
  assert.ok(video.frames >= 58 && video.frames <= 60, `${video.frames}`);
  assert.equal(video.complete, false);
  assert.ok(video.warnings.length > 0);
});

test('frames delivers the same as decode, one by one, and ends FFmpeg when the consumer stops', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  await encode(gradientFrames(40, 32, 48), path, { width: 48, height: 32, fps: 20, keyframeInterval: 7 });
  const video = await decode(path);
  const hashes: string[] = [];
  for await (const { data, index, timestamp } of frames(path)) {
    assert.equal(index, hashes.length);
    assert.equal(timestamp, video.timestamps[index]);
    hashes.push(md5(data));
  }
  assert.deepEqual(hashes, frameHashes(video));
  for await (const { index } of frames(path)) if (index === 2) break;
  await childrenEnded();
});

test('a slow consumer neither fills the memory nor uses up the time limit', async (t) => {
  const path = join(await temporaryFolder(t), 'large.mp4');
  await longVideo(path, 400);
  const before = process.memoryUsage().arrayBuffers;
  let count = 0;
  for await (const frame of frames(path, { size: { width: 640, height: 480 }, timeoutMs: 8000 })) {
    count += 1;
    if (count <= 3) await new Promise((resolve) => setTimeout(resolve, 60));
    if (count === 3) {
      const held = process.memoryUsage().arrayBuffers - before;
      assert.ok(held < 30 * frame.data.length, `${held} bytes are held`);
    }
  }
  assert.equal(count, 400);
});

async function longVideo(path: string, count: number): Promise<void> {
  await ffmpeg(
    ...testPicture({ frames: count }),
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    path,
  );
}

async function childrenEnded(): Promise<void> {
  for (let i = 0; i < 100 && liveChildCount() > 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(liveChildCount(), 0);
}

test('the time limit and an abort end FFmpeg and say so', async (t) => {
  const path = join(await temporaryFolder(t), 'long.mp4');
  await longVideo(path, 1500);
  const size = { width: 1600, height: 1200 };
  await assert.rejects(decode(path, { size, timeoutMs: 300 }), videoError('timeout', /0\.3 s/));
  await assert.rejects(probe(path, { signal: AbortSignal.abort() }), videoError('aborted'));
  await abortsWhileDecoding(t, path, size);
  await childrenEnded();
});

async function abortsWhileDecoding(
  t: TestContext,
  path: string,
  size: { width: number; height: number },
): Promise<void> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 300);
  t.after(() => clearTimeout(timer));
  await assert.rejects(decode(path, { size, signal: controller.signal }), videoError('aborted'));
}

test('a playlist cannot make FFmpeg read from the network', async (t) => {
  const path = join(await temporaryFolder(t), 'playlist.mp4');
  await writeFile(path, '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n');
  await assert.rejects(decode(path, { timeoutMs: 5000 }), videoError('not-a-video'));
});
