import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const LAUNCHER = fileURLToPath(new URL('../../../torch/bin/chronotope-run.js', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));

/** What `chronotope` prints when two processes run it together, each line after the number of its process. */
export async function printedByTwoProcesses(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [LAUNCHER, '--nproc', '2', PROGRAM, ...args], {
    env: { ...process.env, OMP_NUM_THREADS: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  assert.deepEqual(await once(child, 'close'), [0, null]);
  return printed;
}
