// Builds the prober: node scripts/build.mjs. Does nothing when nothing has changed, and nothing is lost without it but time:
// every file is then looked at by an ffprobe of its own.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = join(import.meta.dirname, '..');
const SOURCE = join(PACKAGE, 'native/prober.cpp');
const PROGRAM = join(PACKAGE, 'build/prober');
const STAMP = join(PACKAGE, 'build/stamp');
const LIBRARIES = ['libavformat', 'libavcodec', 'libavutil'];

/**
 * Compiles the prober with FFmpeg's libraries if it or they have changed since the last time.
 *
 * @param {{ force?: boolean }} [options]
 * @returns {{ state: 'fresh' | 'built' } | { state: 'left-out', reason: string }} the reason is the compiler's first line
 */
export function buildProber({ force = false } = {}) {
  const flags = librariesFlags();
  const wanted = createHash('sha256')
    .update(JSON.stringify([flags, process.platform, process.arch]))
    .update(readFileSync(SOURCE))
    .digest('hex');
  if (!force && existsSync(PROGRAM) && existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted)
    return { state: 'fresh' };
  mkdirSync(join(PACKAGE, 'build'), { recursive: true });
  // Others may be running the old one: it is replaced, never written over.
  const fresh = `${PROGRAM}-${process.pid}`;
  const command = [process.env.CXX ?? 'c++', '-O2', '-std=c++17', SOURCE, '-o', fresh, ...flags.arguments];
  const { status, stderr, error } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
  if (status !== 0) return { state: 'left-out', reason: error?.message ?? firstErrorOf(stderr) };
  renameSync(fresh, PROGRAM);
  writeFileSync(STAMP, wanted);
  return { state: 'built' };
}

/** What the compiler is told of FFmpeg's libraries, and which version they are where pkg-config knows. */
function librariesFlags() {
  const ask = (question) => spawnSync('pkg-config', [...question, ...LIBRARIES], { encoding: 'utf8' });
  const { status, stdout } = ask(['--cflags', '--libs']);
  if (status !== 0) return { arguments: LIBRARIES.map((name) => name.replace('lib', '-l')), version: null };
  return { arguments: stdout.trim().split(/\s+/), version: ask(['--modversion']).stdout };
}

function firstErrorOf(output) {
  return output.split('\n').find((line) => line.includes('error')) ?? output.trim().split('\n')[0] ?? '';
}

if (process.argv[1] === import.meta.filename) {
  const { state, reason } = buildProber();
  if (state === 'left-out') {
    console.error(
      `The prober was not built (${reason}). It wants FFmpeg's headers: libavformat-dev on Debian and Ubuntu.`,
    );
    process.exitCode = 1;
  }
}
