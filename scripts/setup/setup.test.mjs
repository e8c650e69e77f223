import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildProber } from '../../packages/video/scripts/build.mjs';
import { adviceFor, aptPackagesFor } from './advice.mjs';
import { slowBlasLinks } from './debian.mjs';
import { checkNodeVersion } from './node-version.mjs';
import { packagesAreCurrent } from './npm-packages.mjs';
import { SetupError } from './output.mjs';
import { provideProber } from './prober.mjs';
import { provideSystemPackages } from './system-packages.mjs';

const folder = mkdtempSync(join(tmpdir(), 'setup é '));
after(() => rmSync(folder, { recursive: true }));

const newFolder = () => mkdtempSync(join(folder, 'x'));
const silent = { present() {}, doing() {}, done() {}, warn() {} };
const homebrewLibtorch = { kind: 'homebrew', version: '2.6.0', libDir: '/opt/pytorch/lib' };

/** Runs `body` with a PATH of one folder that holds these shell scripts. */
function withPrograms(programs, body) {
  const bin = newFolder();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const before = process.env.PATH;
  process.env.PATH = bin;
  try {
    return body(bin);
  } finally {
    process.env.PATH = before;
  }
}

test('Node before 20.19 is refused, later ones are not', () => {
  assert.equal(checkNodeVersion('20.19.0'), true);
  assert.equal(checkNodeVersion('24.0.0'), true);
  assert.equal(checkNodeVersion('20.18.3'), false);
  assert.equal(checkNodeVersion('18.20.0'), false);
});

test('each platform gets its own commands', () => {
  assert.deepEqual(aptPackagesFor(['libtorch', 'blas', 'cmake']), [
    'libtorch-dev',
    'libgloo-dev',
    'libopenblas0-pthread',
    'cmake',
  ]);
  const debian = adviceFor(['libtorch', 'ffmpeg'], { platform: 'linux', hasApt: true }).join('\n');
  assert.match(debian, /apt-get install -y libtorch-dev libgloo-dev libopenblas0-pthread ffmpeg/);
  assert.match(debian, /CHRONOTOPE_LIBTORCH=/);
  assert.match(debian, /pip install torch/);

  const mac = adviceFor(['libtorch', 'cmake', 'ffmpeg'], { platform: 'darwin', hasApt: false }).join('\n');
  assert.match(mac, /brew install pytorch cmake ffmpeg/);

  const fedora = adviceFor(['cmake', 'make'], { platform: 'linux', hasApt: false }).join('\n');
  assert.match(fedora, /install: cmake make/);
  assert.doesNotMatch(fedora, /apt-get|brew|CHRONOTOPE_LIBTORCH/);
});

test('what is missing stops set-up with the commands when nothing may be installed', () => {
  withPrograms({ cmake: '', make: '' }, () => {
    const findLibtorch = () => homebrewLibtorch;
    assert.throws(
      () => provideSystemPackages({ findLibtorch, install: false, progress: silent }),
      (error) => error instanceof SetupError && /FFmpeg/.test(error.message) && !/CMake/.test(error.message),
    );
  });
});

test('a CHRONOTOPE_LIBTORCH that leads nowhere stops set-up with the reason', () => {
  const findLibtorch = () => {
    throw new Error('CHRONOTOPE_LIBTORCH is /nowhere');
  };
  const provide = () => provideSystemPackages({ findLibtorch, install: true, progress: silent });
  assert.throws(provide, (error) => error instanceof SetupError && /\/nowhere/.test(error.message));
});

test('apt installs exactly what is missing, without a question', { skip: process.getuid() !== 0 }, () => {
  const aptGet = `/bin/echo "$DEBIAN_FRONTEND $@" >> "$0.log"
    case "$*" in *install*) for p in cmake ffmpeg ffprobe; do printf '#!/bin/sh\\n' > "\${0%/*}/$p"; /bin/chmod +x "\${0%/*}/$p"; done;; esac`;
  const log = withPrograms({ 'apt-get': aptGet, make: '', env: '/usr/bin/env "$@"' }, (bin) => {
    provideSystemPackages({ findLibtorch: () => homebrewLibtorch, install: true, progress: silent });
    return readFileSync(join(bin, 'apt-get.log'), 'utf8').trim().split('\n');
  });
  assert.equal(log.length, 2);
  assert.match(log[0], /^noninteractive .*update$/);
  assert.match(log[1], /^noninteractive .*install -y --no-install-recommends cmake ffmpeg$/);
});

test('a failing apt shows its own words and the command to type', { skip: process.getuid() !== 0 }, () => {
  withPrograms({ 'apt-get': 'echo "E: no space left"; exit 100', env: '/usr/bin/env "$@"' }, () => {
    assert.throws(
      () => provideSystemPackages({ findLibtorch: () => null, install: true, progress: silent }),
      (error) =>
        error instanceof SetupError &&
        /exit code 100/.test(error.message) &&
        error.remedy.includes('E: no space left') &&
        error.remedy.some((line) => line.includes('sudo apt-get install libtorch-dev')),
    );
  });
});

test("without FFmpeg's headers the prober is left out with the compiler's reason, and set-up goes on", () => {
  const noHeaders = 'echo "In file included" >&2; echo "prober.cpp:12: fatal error: no such file" >&2; exit 1';
  const warnings = [];
  const progress = { ...silent, warn: (text, remedy) => warnings.push(text, ...remedy) };
  const before = process.env.CXX;
  withPrograms({ 'c++': noHeaders }, (bin) => {
    process.env.CXX = join(bin, 'c++');
    try {
      provideProber(() => buildProber({ force: true }), { install: false, progress });
    } finally {
      if (before === undefined) delete process.env.CXX;
      else process.env.CXX = before;
    }
  });
  assert.match(warnings[0], /prober of videos was not built/);
  assert.match(warnings[1], /fatal error: no such file/);
  assert.match(warnings[2], /libavformat-dev/);
});

test('the reference BLAS is told from fast ones by where the alternative leads', () => {
  const alternatives = newFolder();
  const link = (name, target) => symlinkSync(target, join(alternatives, name));
  link('libblas.so.3-x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu/blas/libblas.so.3');
  link('liblapack.so.3-x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu/openblas-pthread/liblapack.so.3');
  link('editor', '/usr/bin/vim');
  assert.deepEqual(slowBlasLinks(alternatives), ['libblas.so.3-x86_64-linux-gnu']);
});

test("npm packages are current only if npm's record of them agrees with the lock file", () => {
  const root = newFolder();
  const write = (path, packages) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), JSON.stringify({ packages }));
  };
  const lock = {
    '': {},
    'packages/a': { version: '0.1.0' },
    'node_modules/a': { resolved: 'packages/a', link: true },
    'node_modules/b': { version: '1.0.0' },
    'node_modules/for-other-platforms': { version: '1.0.0', optional: true },
  };
  const installed = { 'node_modules/a': lock['node_modules/a'], 'node_modules/b': lock['node_modules/b'] };
  write('package-lock.json', lock);
  assert.equal(packagesAreCurrent(root), false, 'nothing is installed');
  write('node_modules/.package-lock.json', installed);
  assert.equal(packagesAreCurrent(root), true);
  write('node_modules/.package-lock.json', { ...installed, 'node_modules/b': { version: '0.9.0' } });
  assert.equal(packagesAreCurrent(root), false, 'another version is installed');
  write('node_modules/.package-lock.json', { 'node_modules/b': lock['node_modules/b'] });
  assert.equal(packagesAreCurrent(root), false, 'a workspace is not linked');
});

test('the command answers --help with 0 and an unknown option with 2', () => {
  const script = fileURLToPath(new URL('../setup.mjs', import.meta.url));
  const setup = (...args) => spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
  const help = setup('--help');
  assert.equal(help.status, 0);
  assert.match(help.stdout, /--no-install/);
  const wrong = setup('--fast');
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /--fast.*\n\nUsage:/s);
});
