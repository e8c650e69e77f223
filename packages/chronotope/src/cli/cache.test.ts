import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encode } from '@chronotope/video';

const BIN = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'chronotope-cache-'));
after(() => rmSync(root, { recursive: true }));
const data = join(root, 'videos');

before(async () => {
  for (const name of ['jump', 'wave']) mkdirSync(join(data, name), { recursive: true });
  const frames = new Uint8Array(6 * 48 * 64 * 3).map((_, k) => k % 251);
  await encode(frames, join(data, 'jump/a.mp4'), { width: 64, height: 48, fps: 10 });
  await encode(frames.subarray(48 * 64 * 3), join(data, 'wave/b.mp4'), { width: 64, height: 48, fps: 10 });
});

function cache(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'cache', command, ...args], {
    encoding: 'utf8',
  });
  assert.doesNotMatch(stderr, /\n {4}at /, stderr);
  return { status, stdout, stderr };
}

test('build, info, verify, damage, repair, clear', () => {
  const store = join(root, 'frames');
  const built = cache('build', data, '--store', store);
  assert.equal(built.status, 0, built.stderr);
  assert.match(built.stdout, /2 videos decoded, 0 known, 0 left out; stored as raw/);
  assert.match(built.stderr, /frames are stored as raw: raw frames take about .* JPEG about .*; raw fits into/);
  const jpeg = cache('build', data, '--store', store, '--budget', '1kB', '--set', 'frames.shortSide=24', '--json');
  const report = JSON.parse(jpeg.stdout);
  assert.deepEqual([report.stored, report.plan.format, report.plan.videos], [2, 'jpeg', 2], jpeg.stderr);

  const { kinds } = JSON.parse(cache('info', '--store', store, '--json').stdout);
  assert.deepEqual(
    kinds.map(({ format, shortSide, videos, frames }: Record<string, unknown>) => [format, shortSide, videos, frames]),
    [
      ['jpeg', 24, 2, 11],
      ['raw', 48, 2, 11],
    ],
  );
  assert.match(cache('info', data, '--store', store).stdout, /raw +│ 48 +│ all +│ 600 +│ 2 +│ 11/);

  assert.equal(cache('verify', '--store', store).status, 0);
  const raw = readdirSync(store).find((name) => name.endsWith('.rgb'))!;
  writeFileSync(join(store, raw), 'damage');
  const damaged = cache('verify', data, '--store', store);
  assert.equal(damaged.status, 1);
  assert.match(damaged.stdout, /damaged: .*(a|b)\.mp4: .*\n4 videos checked, 1 damaged/);
  assert.match(cache('build', data, '--store', store, '--checksums').stdout, /^1 videos decoded, 1 known/);
  assert.equal(cache('verify', '--store', store).status, 0);

  const other = join(root, 'other');
  mkdirSync(other);
  copyFileSync(join(data, 'jump/a.mp4'), join(other, 'renamed.mp4'));
  assert.match(cache('build', other, '--store', store).stdout, /^0 videos decoded, 1 known/);
  assert.match(cache('clear', other, '--store', store).stdout, /^frames of 2 videos removed/);
  assert.match(cache('clear', '--all', '--store', store).stdout, /^frames of 2 videos removed/);
  assert.equal(cache('info', '--store', store).stdout, 'the store is empty\n');
});

test('mistakes and broken videos are named', () => {
  const broken = join(root, 'broken');
  mkdirSync(broken);
  copyFileSync(join(data, 'jump/a.mp4'), join(broken, 'good.mp4'));
  writeFileSync(join(broken, 'empty.mp4'), '');
  const built = cache('build', broken, '--store', join(root, 'broken-frames'));
  assert.equal(built.status, 1);
  assert.match(built.stderr, /left out: empty\.mp4: The file has zero bytes/);
  assert.match(built.stdout, /1 videos decoded, 0 known, 1 left out/);
  const cases: [string[], number, RegExp][] = [
    [['info', '--store', join(root, 'none')], 1, /no such frame store.*\n?.*cache build/],
    [['clear', '--store', root], 2, /either the data set whose frames go, or --all/],
    [['build', data, '--store', root, '--budget', 'much'], 2, /expected a size, such as 20GB/],
    [['build', data], 2, /--store/],
  ];
  for (const [[command, ...args], status, message] of cases) {
    const result = cache(command!, ...args);
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stderr, message);
  }
});
