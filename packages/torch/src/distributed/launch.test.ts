import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchOptions } from './run.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope run '));
after(() => rmSync(folder, { recursive: true }));

const BIN = fileURLToPath(new URL('../../bin/chronotope-run.js', import.meta.url));

function script(source: string): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(path, source);
  return path;
}

function run(...args: string[]): { status: number | null; stdout: string[]; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8' });
  return { status, stdout: stdout.trim().split('\n').sort(), stderr };
}

test('ranks get torchrun’s variables and the arguments; lines carry the rank', () => {
  const show = script(`
    const { RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT } = process.env;
    console.log(RANK, LOCAL_RANK, WORLD_SIZE, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT, ...process.argv.slice(2));
  `);
  const args = ['--nproc', '2', '--nnodes=2', '--node-rank', '1', '--master-addr', 'host', '--master-port', '4000'];
  const { status, stdout } = run(...args, show, '--epochs', '3');
  assert.deepEqual(stdout, ['[2] 2 0 4 2 host 4000 --epochs 3', '[3] 3 1 4 2 host 4000 --epochs 3']);
  assert.equal(status, 0);
});

test('when a rank fails the others are stopped, and its exit code is the launcher’s', () => {
  const { status, stdout, stderr } = run(
    '--nproc',
    '3',
    script(`
      if (process.env.RANK === '1') process.exit(3);
      process.on('SIGTERM', () => { console.log('told to end'); process.exit(1); });
      setInterval(() => {}, 1000);
      console.log('waits');
    `),
  );
  assert.equal(status, 3);
  assert.match(stderr, /rank 1 ended with exit code 3; stopping the others/);
  for (const line of stdout) assert.match(line, /^(\[[02]\] (waits|told to end))?$/);
});

test('signals go to the ranks, and what they make of them is the result', async () => {
  const path = script(`
    process.on('SIGINT', () => process.exit(7));
    setInterval(() => {}, 1000);
    console.log('ready');
  `);
  const launcher = spawn(process.execPath, [BIN, '--nproc', '2', path]);
  let ready = 0;
  launcher.stdout.on('data', (text) => {
    ready += String(text).match(/ready/g)?.length ?? 0;
    if (ready === 2) launcher.kill('SIGINT');
  });
  assert.equal(await new Promise((resolve) => launcher.once('close', resolve)), 7);
});

test('programs that are not JavaScript run as they are; one that is not there is an error', () => {
  assert.deepEqual(run('--nproc', '1', '--', 'echo', '--nproc').stdout, ['[0] --nproc']);
  const { status, stderr } = run('--nproc', '1', './no-such-program');
  assert.equal(status, 127);
  assert.match(stderr, /rank 0 could not be started: .*no-such-program/);
});

test('wrong usage is explained', () => {
  for (const [args, message] of [
    [['train.js'], /--nproc is missing/],
    [['--nproc', '2'], /the script or program is missing/],
    [['--nproc', 'two', 'train.js'], /--nproc must be a whole number from 1 up, and is 'two'/],
    [['--nproc', '2', '--nnodes', '2', 'train.js'], /several hosts need --master-addr and --master-port/],
    [['--nproc', '2', '--node-rank', '1', 'train.js'], /--node-rank 1 is none of the 1 hosts/],
    [['--nprocs', '2', 'train.js'], /Unknown option '--nprocs'/],
  ] as const) {
    assert.throws(() => launchOptions(args), message);
  }
  const { status, stderr } = run('train.js');
  assert.equal(status, 2);
  assert.match(stderr, /--nproc is missing[\s\S]*Usage: chronotope-run/);
});
