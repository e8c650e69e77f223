import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decode } from './decode.js';
import { secondsOf } from './decode-plan.js';
import { frameHashes, twoAtATime, videoError } from './fixtures.test.helper.js';
import { probe } from './probe.js';

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const folder = join(process.env.CHRONOTOPE_TEST_DATA ?? join(repository, '../shared/data'), 'decoder-cases');
const manifest = join(folder, 'manifest.csv');

interface Case {
  path: string;
  codec: string;
  width: number;
  height: number;
  rotation: number;
  frames: number;
  start: number;
}

function readManifest(): Case[] {
  const [header, ...lines] = readFileSync(manifest, 'utf8').trim().split('\n');
  const names = header!.split(',');
  return lines.map((line) => {
    const fields = [...line.matchAll(/"([^"]*)"|([^,]+)|(?<=,)(?=,)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? '',
    );
    const get = (name: string): string => fields[names.indexOf(name)] ?? '';
    return {
      path: join(folder, get('path')),
      codec: get('vcodec'),
      width: Number(get('width')),
      height: Number(get('height')),
      rotation: (360 - Number(get('rotation'))) % 360,
      frames: Number(get('decoded_frames')),
      start: Number(get('first_pts_s')),
    };
  });
}

const skip = !existsSync(manifest) && `no test videos in ${folder} (set CHRONOTOPE_TEST_DATA)`;

test('real files of many formats decode to the known frames, or fail for the known reason', { skip }, async () => {
  const cases = readManifest();
  assert.ok(cases.length > 0);
  await twoAtATime(cases, async (expected) => {
    const { path } = expected;
    if (expected.codec === '') {
      await assert.rejects(decode(path), videoError('no-video-stream'), path);
      return;
    }
    const info = await probe(path);
    assert.deepEqual(
      [info.codec, info.codedWidth, info.codedHeight, info.rotation],
      [expected.codec, expected.width, expected.height, expected.rotation],
      path,
    );
    const video = await decode(path, { info, shortSide: 32 });
    // FFmpeg counts 164 frames in the MPEG-4 AVI; the manifest was made by a tool that counts 163.
    assert.ok(Math.abs(video.frames - expected.frames) <= (path.endsWith('.avi') ? 1 : 0), `${path}: ${video.frames}`);
    const first = secondsOf(info, video.pts[0]!);
    assert.ok(Math.abs(first - expected.start) < 1e-3, `${path}: ${first}`);
    assert.ok(
      video.timestamps.every((time, t) => t === 0 || time > video.timestamps[t - 1]!),
      path,
    );
    if (path.endsWith('corrupted.mp4')) assert.match(video.damage!.reason, /Only 49 of 50/);
    else assert.equal(video.damage, null, path);
  });
});

test('in real files too, any part is exactly what decoding everything gives', { skip }, async () => {
  const cases = readManifest().filter(
    ({ codec, width, height, frames }) => codec !== '' && width * height * frames < 3e7,
  );
  await twoAtATime(cases, async ({ path }) => {
    const info = await probe(path);
    const options = { info, shortSide: 32 };
    const whole = await decode(path, options);
    const first = Math.floor(whole.frames * 0.7);
    const last = Math.min(first + 5, whole.frames);
    const end = last < whole.frames ? { end: whole.timestamps[last]! } : {};
    const part = await decode(path, { ...options, start: whole.timestamps[first]!, ...end });
    assert.deepEqual([...part.pts], [...whole.pts.subarray(first, last)], path);
    assert.deepEqual(frameHashes(part), frameHashes(whole).slice(first, last), path);
  });
});
