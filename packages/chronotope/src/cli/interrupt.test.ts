import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encode } from '@chronotope/video';

const BIN = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));
const VIDEOS = 60;

let root = '';
before(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'chronotope-interrupt-'));
  const film = path.join(root, 'film.mp4');
  await encode(new Uint8Array(100 * 160 * 120 * 3).fill(90), film, { width: 160, height: 120, fps: 25 });
  for (let k = 0; k < VIDEOS; k++) {
    const folder = path.join(root, 'videos', k % 2 === 0 ? 'even' : 'odd');
    mkdirSync(folder, { recursive: true });
    linkSync(film, path.join(folder, `${k}.mp4`));
  }
});
after(() => rmSync(root, { recursive: true, force: true }));

/** Command lines of the running FFmpeg programs that name this test's folder. */
function decoders(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    })
    .filter((line) => /^[^\0]*ff(mpeg|probe)\0/.test(line) && line.includes(root));
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (condition()) return;
    await sleep(20);
  }
  assert.fail(`never: ${what}`);
}

const skip = process.platform === 'linux' ? false : 'looks for processes in /proc';

test('Ctrl-C while videos are decoded ends train with code 130, a hint, and no FFmpeg left behind', {
  skip,
}, async () => {
  const args = ['train', 'timebalance', '--data', path.join(root, 'videos'), '--out', path.join(root, 'run')];
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const closed = once(child, 'close');
  await until(() => decoders().length > 0, 'a decoder started');
  child.kill('SIGINT');
  const [code] = await closed;
  assert.equal(code, 130, stderr);
  assert.match(stderr, /Run the same command again/);
  assert.deepEqual(decoders(), []);
});
