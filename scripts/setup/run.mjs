import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupError } from './output.mjs';

const LINES_SHOWN = { first: 15, last: 25 };

/** The path of the program `name` on PATH, or undefined. */
export function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not here: the next folder.
    }
  }
  return undefined;
}

/**
 * Runs a program to its end with its output kept back, and returns that output.
 * Throws a SetupError with the output (cut in the middle) and `remedy` if it cannot be started or fails.
 */
export function run(command, args, { cwd, env, failure, remedy = [] }) {
  const result = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.trimEnd();
  if (result.status === 0) return output;

  const reason = result.error?.message ?? (result.signal ? `killed by ${result.signal}` : `exit code ${result.status}`);
  throw new SetupError(`${failure} (${[command, ...args].join(' ')}: ${reason}).`, [...shortened(output), ...remedy]);
}

/** npm and tsc say first what is wrong, apt and compilers last: both ends are kept. */
function shortened(output) {
  const lines = output.split('\n');
  const { first, last } = LINES_SHOWN;
  if (lines.length <= first + last) return lines;
  return [...lines.slice(0, first), `… ${lines.length - first - last} lines left out …`, ...lines.slice(-last)];
}

/** Whether a program runs and exits with 0; its output is thrown away. */
export function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** What a program prints on stdout, or undefined if it fails. */
export function outputOf(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return status === 0 ? stdout : undefined;
}

export const thisPlatform = () => ({ platform: process.platform, hasApt: onPath('apt-get') !== undefined });
