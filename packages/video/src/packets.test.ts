import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ffmpeg, temporaryFolder, testPicture, videoError } from './fixtures.test.helper.js';
import { readPackets } from './packets.js';

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
