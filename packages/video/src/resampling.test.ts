import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decode } from './decode.js';
import {
  ffmpeg,
  frameHashes,
  makeVideos,
  temporaryFolder,
  testPicture,
  twoAtATime,
  videoError,
} from './fixtures.test.helper.js';
import { probe } from './probe.js';
import { expected, facts, indexedStructures, otherStructures, x264 } from './structures.test.helper.js';

test('fps delivers at every even moment the picture that a player shows then', async (t) => {
  const folder = await temporaryFolder(t);
  const recipes = [...indexedStructures, ...otherStructures];
  const chosen = recipes.filter(([name]) => /variable rate|late start.mkv|no times/.test(name));
  const names = await makeVideos(folder, chosen, { frames: 45 });
  await twoAtATime(names, async (name) => {
    const path = join(folder, name);
    const info = await probe(path);
    const whole = await decode(path, { info });
    const hashes = frameHashes(whole);
    for (const [fps, start, end] of [
      [2, 0.1, 1.6],
      [60, 1.01, 1.3],
      [23.976023976, 0.5, 1.3],
    ] as const) {
      const even = await decode(path, { info, fps, start, end });
      const moments = Array.from({ length: Math.ceil((end - start) * fps - 1e-6) }, (_, k) => start + k / fps);
      const shown = moments.map((moment) => {
        const later = whole.timestamps.findIndex((time) => time > moment + 1e-6);
        return later === -1 ? whole.frames - 1 : later - 1;
      });
      const what = `${name} ${fps}`;
      assert.equal(even.damage, null, what);
      assert.deepEqual(
        frameHashes(even),
        shown.map((n) => hashes[n]),
        what,
      );
      assert.deepEqual(
        [...even.pts],
        shown.map((n) => whole.pts[n]),
        what,
      );
      for (const [k, moment] of moments.entries()) {
        assert.ok(Math.abs(even.timestamps[k]! - moment) < 2e-6, `${what} at ${moment}: ${even.timestamps[k]}`);
      }
    }
  });
});

test('a time stamp far in the future is an error, not a picture repeated a million times', async (t) => {
  const path = join(await temporaryFolder(t), 'jump.mkv');
  const jump = ['-vf', "setpts='PTS+if(gt(N,6),3000/TB,0)'", '-vsync', 'passthrough', ...x264];
  await ffmpeg(...testPicture({ frames: 10 }), ...jump, path);
  const info = { ...(await probe(path)), duration: 0.4 };
  await assert.rejects(decode(path, { info, fps: 25 }), videoError('undecodable', /time stamps/));
  assert.equal((await decode(path, { info })).frames, 10, 'without fps all frames are there');
});

test('a picture size that changes in mid-stream neither loses nor repeats frames', async (t) => {
  const folder = await temporaryFolder(t);
  for (const [name, width] of [
    ['small.mkv', 64],
    ['large.mkv', 96],
  ] as const) {
    await ffmpeg(...testPicture({ width, frames: 20 }), ...x264, '-bsf:v', 'dump_extra', join(folder, name));
  }
  const list = join(folder, 'list.txt');
  const path = join(folder, 'changing.mkv');
  await ffmpeg('-f', 'concat', '-i', await written(list, "file 'small.mkv'\nfile 'large.mkv'\n"), '-c', 'copy', path);
  const whole = await decode(path);
  assert.deepEqual([whole.frames, whole.width, whole.height], [40, 64, 48]);
  const strided = await decode(path, { stride: 7 });
  assert.deepEqual(facts(strided), expected(whole, { stride: 7 }));
  const even = await decode(path, { fps: 5 });
  assert.equal(even.frames, 8);
});

async function written(path: string, text: string): Promise<string> {
  await writeFile(path, text);
  return path;
}
