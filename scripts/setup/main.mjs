import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildAddon } from '../../packages/torch/scripts/build.mjs';
import { findLibtorch } from '../../packages/torch/scripts/find-libtorch.mjs';
import { buildProber } from '../../packages/video/scripts/build.mjs';
import { provideAddon } from './addon.mjs';
import { provideNpmPackages } from './npm-packages.mjs';
import { progressPrinter, SetupError, seconds } from './output.mjs';
import { provideProber } from './prober.mjs';
import { provideSystemPackages } from './system-packages.mjs';
import { checkToolchain } from './toolchain.mjs';
import { compileTypeScript } from './typescript.mjs';

const USAGE = `Usage: npm run setup [-- options]

  --quiet        print only what is done, not what is already there
  --no-install   print the commands for missing system packages instead of running apt
  --help         print this

Exit codes: 0 all is ready, 1 something is missing or failed (it says what, and how to mend it), 2 wrong usage.`;

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs set-up with these command-line arguments and returns the exit code. */
export async function main(args) {
  let options;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  try {
    await setUp({ quiet: options.quiet, install: !options['no-install'] });
    return 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error([`\nSet-up stopped: ${error.message}`, ...error.remedy].join('\n'));
    return 1;
  }
}

function parseOptions(args) {
  const flag = { type: 'boolean', default: false };
  return parseArgs({ args, options: { quiet: flag, 'no-install': flag, help: flag } }).values;
}

async function setUp({ quiet, install }) {
  const started = performance.now();
  const progress = progressPrinter({ quiet });
  checkToolchain(progress);
  provideSystemPackages({ findLibtorch, install, progress });
  provideNpmPackages(root, progress);
  await provideAddon(buildAddon, progress);
  provideProber(buildProber, { install, progress });
  compileTypeScript(root, progress);
  progress.present(`ready (${seconds(performance.now() - started)})`);
}
