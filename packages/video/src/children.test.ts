import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runToEnd } from './children.js';
import { ffmpeg, temporaryFolder, testPicture, videoError } from './fixtures.test.helper.js';

const noProc = !existsSync('/proc/self/cmdline') && 'needs /proc to look for processes';

/** Numbers of the processes, other than Node.js, that have `text` in their command line. */
async function processesWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(text) && /^[^\0]*ffmpeg\0/.test(command)) found.push(Number(name));
  }
  return found;
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 250; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  assert.fail(`waited in vain until ${what}`);
}

/** Starts a Node.js process that has an ffmpeg child which it does not read from any more. */
async function startDecodingProcess(t: TestContext, extraCode = ''): Promise<{ parent: ChildProcess; path: string }> {
  const path = join(await temporaryFolder(t), 'long.mp4');
  await ffmpeg(...testPicture({ frames: 500 }), '-c:v', 'mpeg4', path);
  const code = `
    import { frames } from ${JSON.stringify(new URL('./decode.js', import.meta.url).href)};
    ${extraCode}
    const source = frames(${JSON.stringify(path)}, { size: { width: 640, height: 480 } });
    await source.next();
    console.log('decoding');
    setInterval(() => {}, 1000);
    await source.next();
    await new Promise(() => {});`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => parent.kill('SIGKILL'));
  let output = '';
  parent.stdout!.on('data', (text) => {
    output += text;
  });
  await until(() => output.includes('decoding'), 'the process decodes');
  assert.equal((await processesWith(path)).length, 1, 'ffmpeg runs before the signal');
  return { parent, path };
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`no ffmpeg is left when the process gets ${signal}, and it ends by that signal`, { skip: noProc }, async (t) => {
    const { parent, path } = await startDecodingProcess(t);
    parent.kill(signal);
    await until(() => parent.signalCode !== null || parent.exitCode !== null, 'the process has ended');
    assert.equal(parent.signalCode, signal);
    await until(async () => (await processesWith(path)).length === 0, 'ffmpeg has ended');
  });
}

test('no ffmpeg is left after process.exit, and a SIGINT handler of the application is obeyed', {
  skip: noProc,
}, async (t) => {
  const { parent, path } = await startDecodingProcess(t, "process.on('SIGINT', () => process.exit(7));");
  parent.kill('SIGINT');
  await until(() => parent.exitCode !== null, 'the process has ended');
  assert.equal(parent.exitCode, 7);
  await until(async () => (await processesWith(path)).length === 0, 'ffmpeg has ended');
});

test('runToEnd: output is bounded, time is limited, a missing program is an error', async () => {
  const print = ['-e', 'process.stdout.write("x".repeat(100000)); process.stderr.write("why")'];
  const result = await runToEnd(process.execPath, print, { path: 'a', timeoutMs: 20_000, maxOutputBytes: 1000 });
  assert.deepEqual([result.exitCode, result.stdout.length, result.stderr], [0, 1000, 'why']);
  const endless = ['-e', 'setInterval(() => {}, 1000)'];
  await assert.rejects(runToEnd(process.execPath, endless, { path: 'a', timeoutMs: 300 }), videoError('timeout'));
  const missing = runToEnd('/no/such/program', [], { path: 'a', timeoutMs: 1000 });
  await assert.rejects(missing, videoError('ffmpeg-missing', /ENOENT/));
});

test('after the last child no signal handler is left behind', async () => {
  await runToEnd(process.execPath, ['-e', ''], { path: 'a', timeoutMs: 20_000 });
  assert.equal(process.listenerCount('SIGINT'), 0);
});
