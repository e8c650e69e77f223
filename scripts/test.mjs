// Runs the tests of every package (compiled) and of these scripts with Node's own test runner.
// Usage: npm test [-- filter…]   A filter is a part of a test file's path; a file that matches any of them runs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceFiles } from './lib/source-files.mjs';

const MINUTES_PER_FILE = 5;

const root = fileURLToPath(new URL('..', import.meta.url));
const filters = process.argv.slice(2);

// Listed from the sources, so that what is left in dist of a removed test does not run.
const tests = [
  ...sourceFiles(join(root, 'packages'), ['.test.ts', '.test.mjs']),
  ...sourceFiles(join(root, 'scripts'), ['.test.mjs']),
]
  .map((path) => compiled(relative(root, path)))
  .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)));

if (tests.length === 0) {
  console.error(filters.length === 0 ? 'There are no tests.' : `No test file's path contains ${filters.join(' or ')}.`);
  process.exit(1);
}
const missing = tests.filter((path) => !existsSync(join(root, path)));
if (missing.length > 0) {
  console.error(`Not compiled: ${missing.join(', ')}. Run: npm run build`);
  process.exit(1);
}

// One file at a time a core, each with one thread of libtorch: more of either only makes the tests wait for each other.
const concurrency = Math.min(availableParallelism(), 8);
const reporter = process.stdout.isTTY ? 'spec' : 'tap';
const { status } = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${MINUTES_PER_FILE * 60_000}`,
    `--test-reporter=${reporter}`,
    ...tests,
  ],
  { cwd: root, stdio: 'inherit', env: { OMP_NUM_THREADS: '1', ...process.env } },
);
process.exitCode = status ?? 1;

/** Where the test at `path` (relative to the root) is after `tsc -b`; scripts are run as they are. */
function compiled(path) {
  return path.endsWith('.ts') ? path.replace(`${sep}src${sep}`, `${sep}dist${sep}`).replace(/\.ts$/, '.js') : path;
}
