// Builds the native addon: node scripts/build.mjs [--quiet] [--force]. Does nothing when nothing has changed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { findLibtorch } from './find-libtorch.mjs';

const PACKAGE = join(import.meta.dirname, '..');
const ADDON = join(PACKAGE, 'build/Release/chronotope_torch.node');
const STAMP = join(PACKAGE, 'build/stamp');

const NO_LIBTORCH = `libtorch with its C++ headers was not found. Do one of these, then run this again:
  Debian, Ubuntu:  sudo apt-get install libtorch-dev libopenblas0-pthread
  macOS:           brew install pytorch
  anywhere:        pip install torch   (a build with CUDA is used where it is installed)
  or set CHRONOTOPE_LIBTORCH to an unpacked libtorch folder (with include/ and lib/)`;

const NO_COMPILER = `No C++ compiler or no CMake was found. Install them, then run this again:
  Debian, Ubuntu:  sudo apt-get install g++ cmake make
  macOS:           xcode-select --install && brew install cmake`;

/** Everything that the compiled addon depends on, as one hash. */
function fingerprint(libtorch) {
  const hash = createHash('sha256').update(JSON.stringify([libtorch, process.platform, process.arch]));
  const sources = readdirSync(join(PACKAGE, 'native'), { recursive: true })
    .filter((path) => statSync(join(PACKAGE, 'native', path)).isFile())
    .sort();
  for (const path of ['CMakeLists.txt', ...sources.map((name) => join('native', name))]) {
    hash.update(path).update(readFileSync(join(PACKAGE, path)));
  }
  return hash.digest('hex');
}

function runs(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function cxxStandard(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 13) ? 20 : 17;
}

/** Runs cmake-js and shows its output as it comes, or only after a failure when quiet. */
function compile(libtorch, { quiet }) {
  const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
  const options = {
    CHRONOTOPE_TORCH_INCLUDE: libtorch.includeDirs.join(';'),
    CHRONOTOPE_TORCH_LIB: libtorch.libDir,
    CHRONOTOPE_CXX_STANDARD: cxxStandard(libtorch.version),
    CHRONOTOPE_CXX11_ABI: libtorch.cxx11Abi ?? '',
  };
  const definitions = Object.entries(options).map(([name, value]) => `--CD${name}=${value}`);
  const jobs = ['--parallel', String(availableParallelism())];
  const child = spawn(process.execPath, [cmakeJs, 'build', '-d', PACKAGE, ...jobs, ...definitions], {
    cwd: PACKAGE,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
      if (!quiet) process.stderr.write(text);
    });
  }
  return new Promise((resolve) => {
    child.on('close', (code) => {
      if (code !== 0 && quiet) process.stderr.write(output);
      resolve(code === 0 && existsSync(ADDON));
    });
  });
}

/**
 * Builds the addon if its sources or libtorch have changed since the last build.
 *
 * @param {{ quiet?: boolean, force?: boolean }} [options]
 * @returns {Promise<'fresh' | 'built'>}
 * @throws {Error} with the commands that mend it, when libtorch, a compiler or CMake is missing
 */
export async function buildAddon({ quiet = false, force = false } = {}) {
  const libtorch = findLibtorch();
  if (!libtorch) throw new Error(NO_LIBTORCH);
  const wanted = fingerprint(libtorch);
  if (!force && existsSync(ADDON) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return 'fresh';
  if (!runs('cmake') || !(runs(process.env.CXX ?? 'c++') || runs('g++') || runs('clang++'))) {
    throw new Error(NO_COMPILER);
  }
  console.error(`Building the binding to libtorch ${libtorch.version} (${libtorch.libDir}); a minute or two, once.`);
  if (!(await compile(libtorch, { quiet }))) {
    throw new Error('The native addon did not compile; the compiler says why above.');
  }
  mkdirSync(join(PACKAGE, 'build'), { recursive: true });
  writeFileSync(STAMP, wanted);
  return 'built';
}

if (process.argv[1] === import.meta.filename) {
  const flags = new Set(process.argv.slice(2));
  try {
    const state = await buildAddon({ quiet: flags.has('--quiet'), force: flags.has('--force') });
    if (state === 'fresh' && !flags.has('--quiet')) console.error('The native addon is up to date.');
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
