import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('the example of docs/training.md learns, and a second start finds it done', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'chronotope-example-'));
  const program = fileURLToPath(new URL('../../../../examples/training/train.mjs', import.meta.url));
  const run = () =>
    execFileSync(process.execPath, [program, folder], {
      encoding: 'utf8',
      env: { ...process.env, OMP_NUM_THREADS: '1' },
    });
  try {
    const first = run();
    assert.ok(Number(/best \{ step: \d+, accuracy: ([\d.]+) \}/.exec(first)?.[1]) > 0.95, first);
    assert.ok(existsSync(path.join(folder, 'events.out.tfevents.chronotope')));
    assert.equal(run().trim(), first.trim().split('\n').at(-1));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
