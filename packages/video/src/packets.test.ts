import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  ffmpeg,
  makeVideos,
  temporaryFolder,
  testPicture,
  type VideoRecipe,
  videoError,
} from './fixtures.test.helper.js';
import { probeWithPackets, readPackets } from './packets.js';
import { probe } from './probe.js';

test('packets tell times in the order of presentation, key frames and the end', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  const coder = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-bf', '2', '-g', '12', '-sc_threshold', '0'];
  await ffmpeg(...testPicture({ frames: 30, fps: 10 }), ...coder, path);
  const { timestamps, keyframes, end, hasAudio } = await readPackets(path);
  assert.equal(timestamps.length, 30);
  for (const [i, time] of timestamps.entries()) assert.ok(Math.abs(time - i / 10) < 1e-4, `${i}: ${time}`);
  assert.deepEqual(
    [...keyframes].map((time) => time.toFixed(3)),
    ['0.000', '1.200', '2.400'],
  );
  assert.ok(Math.abs(end - 3) < 1e-3, `${end}`);
  assert.equal(hasAudio, false);
});

test('packets with side data, as transport streams have, count like any others', async (t) => {
  const path = join(await temporaryFolder(t), 'a.ts');
  await ffmpeg(...testPicture({ frames: 30, fps: 10 }), '-c:v', 'mpeg2video', '-g', '10', path);
  const { info, packets } = await probeWithPackets(path);
  assert.deepEqual(info, await probe(path));
  assert.deepEqual([packets.timestamps.length, packets.keyframes.length], [30, 3]);
  assert.ok(Math.abs(packets.timestamps[0]! - info.startTime) < 1e-3, `${packets.timestamps[0]}`);
});

test('sound is noticed, and sound alone has no video packets', async (t) => {
  const folder = await temporaryFolder(t);
  const sound = ['-f', 'lavfi', '-i', 'sine=duration=0.5'];
  await ffmpeg(...testPicture({ frames: 10 }), ...sound, '-c:v', 'mpeg4', join(folder, 'both.mkv'));
  const both = await readPackets(join(folder, 'both.mkv'));
  assert.deepEqual([both.timestamps.length, both.hasAudio], [10, true]);
  await ffmpeg(...sound, join(folder, 'sound.mka'));
  const alone = await readPackets(join(folder, 'sound.mka'));
  assert.deepEqual([alone.timestamps.length, alone.keyframes.length, alone.end, alone.hasAudio], [0, 0, 0, true]);
});

test('a file that was cut off gives the packets that are there; one that is no video gives none', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'cut.mp4');
  await ffmpeg(...testPicture({ frames: 50 }), '-c:v', 'mpeg4', '-movflags', '+faststart', path);
  await truncate(path, Math.round((await readFile(path)).length * 0.6));
  const { timestamps } = await readPackets(path);
  assert.ok(timestamps.length > 10 && timestamps.length < 45, `${timestamps.length}`);
  await writeFile(join(folder, 'text.mp4'), 'no video');
  assert.equal((await readPackets(join(folder, 'text.mp4'))).timestamps.length, 0);
});

test('a missing file and a stopped run are typed errors', async (t) => {
  const folder = await temporaryFolder(t);
  await assert.rejects(readPackets(join(folder, 'none.mp4')), videoError('not-found'));
  await writeFile(join(folder, 'a.mp4'), 'x');
  const signal = AbortSignal.abort();
  await assert.rejects(readPackets(join(folder, 'a.mp4'), { signal }), videoError('aborted'));
});

test('one process tells what probe and readPackets tell, for whole and for broken files', async (t) => {
  const folder = await temporaryFolder(t);
  const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
  const cover = [
    '-map',
    '0:v',
    '-map',
    '0:v',
    '-c:v:1',
    'mjpeg',
    '-frames:v:1',
    '1',
    '-disposition:v:1',
    'attached_pic',
  ];
  const recipes: VideoRecipe[] = [
    ['plain.mp4', [...x264, '-bf', '2']],
    ['wide pixels.mkv', ['-aspect', '2', ...x264]],
    ['covered.mp4', [...cover, '-c:v:0', 'mpeg4']],
    ['old.avi', ['-c:v', 'mpeg4']],
    ['broadcast.ts', ['-c:v', 'mpeg2video']],
    ['animation.gif', []],
    ['raw.h264', x264],
  ];
  const names = await makeVideos(folder, recipes, { frames: 15 });
  await ffmpeg(
    '-display_rotation',
    '90',
    '-i',
    join(folder, 'plain.mp4'),
    '-c',
    'copy',
    join(folder, 'turned.mp4'),
  ).then(
    () => names.push('turned.mp4'),
    () => console.log('# skipped turned.mp4: this FFmpeg cannot turn a video'),
  );
  await ffmpeg('-f', 'lavfi', '-i', 'sine=duration=0.5', join(folder, 'sound.mka'));
  const whole = await readFile(join(folder, 'plain.mp4'));
  await writeFile(join(folder, 'cut.mp4'), whole.subarray(0, whole.length / 2));
  await writeFile(join(folder, 'cut.mkv'), (await readFile(join(folder, 'wide pixels.mkv'))).subarray(0, 4000));
  await writeFile(join(folder, 'text.mp4'), 'no video');
  await writeFile(join(folder, 'empty.mp4'), '');
  await writeFile(join(folder, 'list.m3u8'), '#EXTM3U\n#EXTINF:1,\nplain.mp4\n');
  const others = ['sound.mka', 'cut.mp4', 'cut.mkv', 'text.mp4', 'empty.mp4', 'list.m3u8', 'missing.mp4'];
  const outcome = (work: Promise<unknown>): Promise<unknown> => work.catch(({ code, reason }) => ({ code, reason }));
  let broken = 0;
  for (const path of [...names, ...others].map((name) => join(folder, name))) {
    const separately = async () => ({ info: await probe(path), packets: await readPackets(path) });
    const [together, expected] = [await outcome(probeWithPackets(path)), await outcome(separately())];
    assert.deepEqual(together, expected, path);
    if ('code' in (expected as object)) broken += 1;
  }
  assert.equal(broken, 6);
});
