import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encode } from '@chronotope/video';
import type { HealthReport } from '../data/index/health.js';

const BIN = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));
/** More than are looked at together, so that some are left when the first are done. */
const VIDEOS = 17;

const root = mkdtempSync(path.join(tmpdir(), 'chronotope-cli-index-'));
after(() => rmSync(root, { recursive: true }));

before(async () => {
  await mkdir(path.join(root, 'videos', 'wave'), { recursive: true });
  const frames = Uint8Array.from({ length: 20 * 32 * 32 * 3 }, (_, k) => (k * 7) % 251);
  const first = path.join(root, 'first.mp4');
  await encode(frames, first, { width: 32, height: 32, fps: 10, codec: 'mpeg4' });
  const bytes = await readFile(first);
  for (let i = 0; i < VIDEOS; i++) {
    // A box at the end that players pass over makes each a file of its own.
    const box = Buffer.from([0, 0, 0, 9, ...Buffer.from('free'), i]);
    await writeFile(path.join(root, 'videos', 'wave', `${i}.mp4`), Buffer.concat([bytes, box]));
  }
});

function start(out: string, ...flags: string[]): ChildProcess {
  const args = [BIN, 'index', 'videos', '--out', out, '--jobs', '1', ...flags];
  return spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const output = { stdout: '', stderr: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

/** Waits until the journal has a whole line, so that the work is in its midst. */
async function untilFirstVideo(out: string): Promise<void> {
  const journal = path.join(root, out, 'inspected.jsonl');
  while (!existsSync(journal) || !readFileSync(journal, 'utf8').includes('\n')) await setTimeout(5);
}

test('killed at any time, the same command goes on where it was', async () => {
  const killed = start('killed');
  await untilFirstVideo('killed');
  killed.kill('SIGKILL');
  await finish(killed);
  assert.ok(!existsSync(path.join(root, 'killed', 'manifest.jsonl')));
  const { code, stdout, stderr } = await finish(start('killed', '--json'));
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as HealthReport;
  assert.deepEqual([report.videos, report.usable, report.source], [VIDEOS, VIDEOS, 'videos']);
  const known = /(\d+) inspected, (\d+) known/.exec(stderr);
  assert.ok(Number(known?.[2]) >= 1, stderr);
});

test('Ctrl-C ends it cleanly with 130 and says how to go on', async () => {
  const interrupted = start('interrupted');
  await untilFirstVideo('interrupted');
  interrupted.kill('SIGINT');
  const { code, stderr } = await finish(interrupted);
  assert.equal(code, 130, stderr);
  assert.match(stderr, /Run the same command again/);
  assert.ok(!existsSync(path.join(root, 'interrupted', '.lock')));
});

test('the report is a table for people; a wrong source is one clear error', async () => {
  const { code, stdout } = await finish(start('table'));
  assert.equal(code, 0);
  assert.match(stdout, /Health of videos\n17 videos, 17 usable/);
  assert.match(stdout, /│ wave +│ 17 +│ 0 /);
  assert.equal(`\n${readFileSync(path.join(root, 'table', 'health.txt'), 'utf8')}`, stdout);
  const wrong = spawn(process.execPath, [BIN, 'index', 'nowhere'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const failed = await finish(wrong);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /nowhere does not exist/);
});

test('the layout can be named, as for chronotope manifest', async () => {
  const { code, stdout, stderr } = await finish(start('flat', '--format', 'videos', '--json'));
  assert.equal(code, 0, stderr);
  const { layout, usable, unlabelled } = JSON.parse(stdout) as HealthReport;
  assert.deepEqual(layout, { format: 'videos', recognisedBy: null });
  assert.deepEqual([usable, unlabelled], [VIDEOS, VIDEOS]);
});
