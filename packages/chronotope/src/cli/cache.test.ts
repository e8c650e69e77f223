import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encode } from '@chronotope/video';

const BIN = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'chronotope-cache-'));
after(() => rmSync(root, { recursive: true }));
const data = join(root, 'videos');
const store = join(root, 'frames');

before(async () => {
  mkdirSync(data);
  const frames = new Uint8Array(4 * 48 * 64 * 3).map((_, k) => k % 251);
  await encode(frames, join(data, 'a.mp4'), { width: 64, height: 48, fps: 10 });
  writeFileSync(join(data, 'empty.mp4'), '');
});

function cache(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'cache', command, ...args], {
    encoding: 'utf8',
  });
  assert.doesNotMatch(stderr, /\n {4}at /, stderr);
  return { status, stdout, stderr };
}

test('build, info and verify answer on standard output and by exit code, for people and for programs', () => {
  const built = cache('build', data, '--store', store, '--budget', '1kB', '--set', 'frames.shortSide=24', '--json');
  const report = JSON.parse(built.stdout);
  assert.deepEqual([built.status, report.stored, report.failed.length, report.plan.format], [1, 1, 1, 'jpeg']);
  assert.match(built.stderr, /left out: empty\.mp4: The file has zero bytes/);
  assert.match(cache('info', '--store', store).stdout, /jpeg +│ 24 +│ all +│ 600 +│ 1 +│ 4/);
  writeFileSync(join(store, readdirSync(store).find((name) => name.endsWith('.jpegs'))!), 'damage');
  const damaged = cache('verify', data, '--store', store);
  assert.equal(damaged.status, 1);
  assert.match(damaged.stdout, /damaged: .*a\.mp4: .*\n1 videos checked, 1 damaged\n/);
});

test('mistakes are named', () => {
  const cases: [string[], number, RegExp][] = [
    [['info', '--store', join(root, 'none')], 1, /no such frame store.*\n?.*cache build/],
    [['clear', '--store', root], 2, /either the data set whose frames go, or --all/],
    [['build', data, '--store', root, '--budget', 'much'], 2, /expected a size, such as 20GB/],
  ];
  for (const [[command, ...args], status, message] of cases) {
    const result = cache(command!, ...args);
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stderr, message);
  }
});
