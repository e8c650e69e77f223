import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));
const OFFICIAL = fileURLToPath(new URL('../../golden/models/official-pretraining.pth', import.meta.url));

function weights(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, 'weights', ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('weights inspect says what an official checkpoint has, for people and for machines', () => {
  const { status, stdout } = weights('inspect', OFFICIAL, '--all');
  assert.equal(status, 0);
  assert.match(stdout, /85 weights, 4,285 numbers/);
  assert.match(stdout, /every key begins with "module\."/);
  assert.match(stdout, /amp_scaler \(torch\.cuda\.amp\.grad_scaler\.GradScaler\)/);
  assert.match(stdout, /0\.layer4\.0\.conv1\.0\.weight +│ \[8, 4, 3, 3, 3\]/);
  const parsed = JSON.parse(weights('inspect', OFFICIAL, '--json').stdout) as { weights: unknown[]; wrapper: string };
  assert.deepEqual([parsed.weights.length, parsed.wrapper], [85, 'module.']);
});

test('a file that holds no weights, or a folder that is no run, is one clear error', () => {
  const inspected = weights('inspect', BIN);
  assert.deepEqual([inspected.status, inspected.stdout], [1, '']);
  assert.match(inspected.stderr, /^error: .*chronotope\.js/m);
  assert.doesNotMatch(inspected.stderr, /\n +at /);
  const exported = weights('export', 'nowhere', '--out', 'x.pth');
  assert.equal(exported.status, 1);
  assert.match(exported.stderr, /not a run folder/);
});
