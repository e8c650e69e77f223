import { compilerAdvice } from './advice.mjs';
import { SetupError } from './output.mjs';
import { onPath, succeeds, thisPlatform } from './run.mjs';

const COMPILERS = ['c++', 'g++', 'clang++'];

/** Throws unless npm and a C++ compiler are there. Everything else set-up can bring itself. */
export function checkToolchain(progress) {
  if (process.platform === 'win32') {
    throw new SetupError('Windows is not supported directly.', ['Use WSL 2: https://learn.microsoft.com/windows/wsl']);
  }
  if (!onPath('npm')) throw new SetupError('npm is missing.', ['It comes with Node: https://nodejs.org/en/download']);

  const compiler = findCompiler();
  if (!compiler) throw new SetupError('A C++ compiler is missing. Install one:', compilerAdvice(thisPlatform()));
  progress.present(`Node ${process.versions.node}, npm, C++ compiler ${compiler}`);
}

function findCompiler() {
  // On a Mac without the command line tools /usr/bin/c++ exists and does nothing but ask for them.
  if (process.platform === 'darwin' && !succeeds('xcode-select', ['-p'])) return undefined;
  return process.env.CXX ?? COMPILERS.map(onPath).find(Boolean);
}
