import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { liveChildCount } from './children.js';
import { decode, frames } from './decode.js';
import { encode } from './encode.js';
import {
  ffmpeg,
  frameHashes,
  gradientFrames,
  md5,
  temporaryFolder,
  testPicture,
  twoAtATime,
  videoError,
} from './fixtures.test.helper.js';
import { probe } from './probe.js';

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

test('a slow consumer does not fill the memory', async (t) => {
  const path = join(await temporaryFolder(t), 'large.mp4');
  await longVideo(path, 400);
  const before = process.memoryUsage().arrayBuffers;
  let count = 0;
  for await (const frame of frames(path, { size: { width: 640, height: 480 } })) {
    count += 1;
    if (count <= 3) await new Promise((resolve) => setTimeout(resolve, 60));
    if (count === 3) {
      const held = process.memoryUsage().arrayBuffers - before;
      assert.ok(held < 30 * frame.data.length, `${held} bytes are held`);
    }
  }
  assert.equal(count, 400);
});

test('the time limit runs only while a frame is waited for', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  await longVideo(path, 30);
  const info = await probe(path);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let count = 0;
  for await (const _ of frames(path, { info, timeoutMs: 1000 })) {
    count += 1;
    t.mock.timers.tick(3_600_000);
  }
  assert.equal(count, 30);
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
