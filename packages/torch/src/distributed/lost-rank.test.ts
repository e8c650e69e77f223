import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'chronotope lost '));
after(() => rmSync(folder, { recursive: true }));

const PROGRAM = fileURLToPath(new URL('./testing/lost.js', import.meta.url));

/** Starts a rank by itself: a launcher would stop it as soon as the other one is gone. */
function start(rank: number, how: string): ChildProcess {
  return spawn(process.execPath, [PROGRAM, how, join(folder, how)], {
    env: { ...process.env, OMP_NUM_THREADS: '1', RANK: String(rank), WORLD_SIZE: '2' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

function endOf(child: ChildProcess): Promise<{ code: number | null; errors: string }> {
  let errors = '';
  child.stderr!.on('data', (text) => {
    errors += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, errors })));
}

describe('when a rank is lost the other exits with an error that says so', { concurrency: true }, () => {
  for (const [how, reason, advice] of [
    ['killed', /failed: .*([Cc]onnection|[Bb]roken pipe)/, /another rank has ended/],
    ['silent', /failed: .*[Tt]imed out/, /a rank does not answer/],
  ] as const) {
    test(how, async () => {
      const ranks = [start(0, how), start(1, how)];
      const left = endOf(ranks[0]!);
      await Promise.all(ranks.map((rank) => once(rank, 'message')));
      for (const rank of ranks) rank.send('go');

      const { code, errors } = await left;
      ranks[1]!.kill('SIGKILL');
      assert.equal(code, 1);
      assert.match(errors, new RegExp(`TorchError: rank 0 of 2 \\(${join(folder, how)}\\): all-(reduce|gather)`));
      assert.match(errors, reason);
      assert.match(errors, advice);
    });
  }
});
