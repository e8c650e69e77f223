import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { getNumThreads, memory, ones, scope, setNumThreads, showConfig, version, zeros } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'addon-'));
after(() => rmSync(folder, { recursive: true }));
const packageFolder = fileURLToPath(new URL('..', import.meta.url));

test('without the addon the package can be imported, and its first use says what to run', () => {
  cpSync(join(packageFolder, 'dist'), join(folder, 'dist'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const program = `import('${folder}/dist/index.js').then((torch) => {
    try { torch.zeros([1]); } catch (error) { console.log(error.name, error.code, error.hint); }
  });`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  assert.match(stdout, /^TorchError library run `npm run setup`/, stderr);
});

test('the build says so when CHRONOTOPE_LIBTORCH holds no libtorch', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(packageFolder, 'scripts/build.mjs')], {
    encoding: 'utf8',
    env: { ...process.env, CHRONOTOPE_LIBTORCH: folder },
  });
  assert.equal(status, 1);
  assert.ok(stderr.includes(folder) && stderr.includes('holds no libtorch'), stderr);
});

test('threads, version and build can be asked for', () => {
  const before = getNumThreads();
  setNumThreads(1);
  assert.equal(getNumThreads(), 1);
  setNumThreads(before);
  assert.match(version().torch, /^\d+\.\d+\.\d+/);
  assert.match(showConfig(), /PyTorch built with/);
});

test('OpenMP threads sleep soon after parallel regions unless the environment says otherwise', () => {
  zeros([1]).dispose();
  assert.deepEqual([process.env.OMP_WAIT_POLICY, process.env.GOMP_SPINCOUNT], ['passive', '3000']);
});

test('a freed large block serves the next tensor of its size, with the right values', () => {
  scope(() => {
    const size = 123_456;
    ones([size]).dispose();
    const cached = memory().cachedBytes;
    assert.ok(cached >= size * 4);
    const next = zeros([size]);
    assert.equal(memory().cachedBytes, cached - size * 4);
    assert.equal(next.any().item(), 0);
  });
});

test('live and cached bytes together stay near the most that was ever live, whatever the sizes', () => {
  let most = memory().liveBytes;
  for (let i = 0; i < 200; i++) {
    scope(() => {
      zeros([300_000 + 1000 * i]);
      most = Math.max(most, memory().liveBytes);
    });
    const { liveBytes, cachedBytes } = memory();
    assert.ok(liveBytes + cachedBytes <= 1.25 * most + 600_000, `${liveBytes} live, ${cachedBytes} cached`);
  }
});

test('with one thread a matrix product keeps one core busy, not those of the BLAS as well', () => {
  const before = getNumThreads();
  setNumThreads(1);
  scope(() => {
    const a = ones([512, 512]);
    a.matmul(a);
    const [started, used] = [process.hrtime.bigint(), process.cpuUsage()];
    for (let k = 0; k < 20; k++) a.matmul(a).dispose();
    const { user, system } = process.cpuUsage(used);
    const microseconds = Number(process.hrtime.bigint() - started) / 1000;
    assert.ok(user + system < 1.5 * microseconds, `${user + system} µs of processor time in ${microseconds} µs`);
  });
  setNumThreads(before);
});
