import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { cpuSecondsLimit, runToEnd } from './children.js';
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

/** Starts a Node.js process that has one ffmpeg child, which waits for it, with `path` in its command line. */
async function startParent(t: TestContext, code: string, path: string): Promise<ChildProcess> {
  const imports = `import { encode, frames } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)};`;
  const args = ['--input-type=module', '-e', `${imports}\n${code}`];
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => parent.kill('SIGKILL'));
  let output = '';
  parent.stdout!.on('data', (text) => {
    output += text;
  });
  await until(() => output.includes('working'), 'the process works');
  assert.equal((await processesWith(path)).length, 1, 'ffmpeg runs before the signal');
  return parent;
}

/** A process that decodes and does not read on. */
async function startDecoding(t: TestContext, extraCode = ''): Promise<{ parent: ChildProcess; path: string }> {
  const path = join(await temporaryFolder(t), 'long.mp4');
  await ffmpeg(...testPicture({ frames: 500 }), '-c:v', 'mpeg4', path);
  const code = `
    ${extraCode}
    const source = frames(${JSON.stringify(path)}, { size: { width: 640, height: 480 } });
    await source.next();
    console.log('working');
    setInterval(() => {}, 1000);
    await source.next();
    await new Promise(() => {});`;
  return { parent: await startParent(t, code, path), path };
}

/** A process that encodes and has no more frames for now. */
async function startEncoding(t: TestContext): Promise<{ parent: ChildProcess; path: string }> {
  const folder = await temporaryFolder(t);
  const code = `
    async function* source() {
      for (let n = 0; n < 50; n++) yield new Uint8Array(64 * 48 * 3);
      console.log('working');
      setInterval(() => {}, 1000);
      await new Promise(() => {});
    }
    await encode(source(), ${JSON.stringify(join(folder, 'a.mp4'))}, { width: 64, height: 48, fps: 10 });`;
  return { parent: await startParent(t, code, folder), path: folder };
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`no ffmpeg is left when the process gets ${signal}, and it ends by that signal`, { skip: noProc }, async (t) => {
    const started = await Promise.all([startDecoding(t), startEncoding(t)]);
    for (const { parent, path } of started) {
      parent.kill(signal);
      await until(() => parent.signalCode !== null || parent.exitCode !== null, 'the process has ended');
      assert.equal(parent.signalCode, signal);
      await until(async () => (await processesWith(path)).length === 0, 'ffmpeg has ended');
    }
  });
}

test('no ffmpeg is left after process.exit, and a SIGINT handler of the application is obeyed', {
  skip: noProc,
}, async (t) => {
  const { parent, path } = await startDecoding(t, "process.on('SIGINT', () => process.exit(7));");
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

test('a time limit of weeks, or none, does not end a child at once', async () => {
  const wait = ['-e', 'setTimeout(() => {}, 100)'];
  for (const timeoutMs of [1e12, Infinity]) {
    assert.equal((await runToEnd(process.execPath, wait, { path: 'a', timeoutMs })).exitCode, 0);
    assert.ok(Number.isSafeInteger(cpuSecondsLimit(timeoutMs)));
  }
});

test('after the last child no signal handler is left behind', async () => {
  await runToEnd(process.execPath, ['-e', ''], { path: 'a', timeoutMs: 20_000 });
  assert.equal(process.listenerCount('SIGINT'), 0);
});
