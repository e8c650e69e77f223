import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type DecodedVideo, decode } from './decode.js';
import { encode } from './encode.js';
import {
  ffmpeg,
  frameHashes,
  frameMd5,
  framePts,
  gradientFrames,
  makeVideos,
  temporaryFolder,
  testPicture,
  twoAtATime,
  type VideoRecipe,
  videoError,
} from './fixtures.test.helper.js';
import { probe } from './probe.js';

/** All common codecs, containers and kinds of video. */
const codecs: VideoRecipe[] = [
  ['h264, B-frames, one long GOP.mp4', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-bf', '3', '-g', '250']],
  ['h264, short GOPs, no B-frames.mkv', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-bf', '0', '-g', '5']],
  ['h264 10 bit, full range.mp4', ['-c:v', 'libx264', '-pix_fmt', 'yuv420p10le', '-color_range', 'pc']],
  ['hevc.mp4', ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error', '-pix_fmt', 'yuv420p']],
  ['vp9.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8']],
  ['vp8 with alpha.webm', ['-vf', 'format=yuva420p', '-c:v', 'libvpx', '-deadline', 'realtime', '-auto-alt-ref', '0']],
  ['mpeg4 with B-frames.avi', ['-c:v', 'mpeg4', '-bf', '2']],
  ['mpeg2.mpg', ['-c:v', 'mpeg2video', '-bf', '2']],
  ['mjpeg.mov', ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p']],
  ['animation.gif', []],
  [
    'hevc 10 bit.mp4',
    ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error', '-pix_fmt', 'yuv420p10le'],
  ],
  ['odd size.mp4', ['-vf', 'scale=63:47', '-c:v', 'libx264', '-pix_fmt', 'yuv444p']],
  ['odd size, shared colour.webm', ['-vf', 'scale=63:47', '-c:v', 'libvpx', '-pix_fmt', 'yuv420p']],
  ['alpha.mov', ['-vf', 'format=argb,colorchannelmixer=aa=0.5', '-c:v', 'qtrle']],
  ['alpha.mkv', ['-vf', 'format=bgra,colorchannelmixer=aa=0.5', '-c:v', 'ffv1']],
  ['start at 3 s.mkv', ['-output_ts_offset', '3', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-bf', '2']],
  ['variable rate.mp4', ['-vf', "select='1-eq(mod(n,5),1)'", '-c:v', 'libx264', '-pix_fmt', 'yuv420p']],
  ['one frame.mp4', ['-frames:v', '1', '-c:v', 'libx264', '-pix_fmt', 'yuv420p']],
];

test('every frame and time equals what FFmpeg itself decodes, for all common codecs, containers and kinds', async (t) => {
  const folder = await temporaryFolder(t);
  const names = await makeVideos(folder, codecs, { frames: 9 });
  await twoAtATime(names, async (name) => {
    const path = join(folder, name);
    const info = await probe(path);
    const video = await decode(path, { info });
    assert.deepEqual(frameHashes(video), await frameMd5(path), name);
    // Where a container states no time, such as for the last B-frames of an AVI, ffmpeg fills one in, ffprobe does not.
    const stated = (await framePts(path)).map((pts, t) => (Number.isNaN(pts) ? video.pts[t] : pts));
    assert.deepEqual([...video.pts], stated, name);
    assert.ok(video.frames > 0 && video.damage === null, `${name}: ${video.damage?.reason}`);
    const { startPts, timeBase } = info;
    const times = [...video.pts].map((pts) => ((pts - startPts) * timeBase[0]) / timeBase[1]);
    assert.deepEqual([...video.timestamps], times, name);
  });
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
