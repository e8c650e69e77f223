// Where libtorch is. Node's built-in modules only: set-up runs this before anything is installed or built.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SHARED = process.platform === 'darwin' ? '.dylib' : '.so';

/**
 * @typedef {object} Libtorch
 * @property {'environment' | 'python' | 'system' | 'homebrew'} kind where it was found
 * @property {string[]} includeDirs folders for the compiler
 * @property {string} libDir the folder of libtorch_cpu.so
 * @property {string} version such as '2.6.0'
 * @property {boolean} cuda whether it holds the CUDA half
 * @property {0 | 1 | null} cxx11Abi the string ABI it was built with; null where it is the compiler's own
 */

/**
 * Finds libtorch with its headers: `CHRONOTOPE_LIBTORCH` (then nothing else is tried), an installed Python `torch`
 * package, the system's (Debian's libtorch-dev), Homebrew's pytorch.
 *
 * @returns {Libtorch | null}
 * @throws {Error} when CHRONOTOPE_LIBTORCH is set but holds no libtorch
 */
export function findLibtorch() {
  const named = process.env.CHRONOTOPE_LIBTORCH;
  if (named) {
    const found = inFolder('environment', named);
    if (found) return found;
    throw new Error(
      `CHRONOTOPE_LIBTORCH is ${named}, but that folder holds no libtorch with headers ` +
        `(expected include/ATen/core/Tensor.h and lib/libtorch_cpu${SHARED})`,
    );
  }
  return inPython() ?? inSystem() ?? inHomebrew();
}

/** A libtorch folder as pytorch.org's archives and Python wheels lay it out: include/ and lib/. */
function inFolder(kind, folder) {
  return describe(kind, join(folder, 'include'), [join(folder, 'lib')], folder);
}

function inPython() {
  // find_spec does not run the package, whose import takes seconds.
  const script = "import importlib.util as u; s = u.find_spec('torch'); print(s.origin if s else '')";
  const python = spawnSync('python3', ['-c', script], { encoding: 'utf8', timeout: 20_000 });
  const origin = python.status === 0 ? python.stdout.trim() : '';
  return origin ? inFolder('python', dirname(origin)) : null;
}

function inSystem() {
  const roots = ['/usr', '/usr/local'];
  const triplets = existsSync('/usr/lib') ? readdirSync('/usr/lib').filter((name) => name.includes('-linux-')) : [];
  for (const root of roots) {
    const libraries = [...triplets.map((name) => join(root, 'lib', name)), join(root, 'lib'), join(root, 'lib64')];
    const found = describe('system', join(root, 'include'), libraries);
    if (found) return found;
  }
  return null;
}

function inHomebrew() {
  for (const root of ['/opt/homebrew/opt/pytorch', '/usr/local/opt/pytorch']) {
    const found = describe('homebrew', join(root, 'include'), [join(root, 'lib')]);
    if (found) return found;
  }
  return null;
}

function describe(kind, include, libraryFolders, folder) {
  const libDir = libraryFolders.find((candidate) => existsSync(join(candidate, `libtorch_cpu${SHARED}`)));
  const api = join(include, 'torch/csrc/api/include');
  if (!libDir || !existsSync(join(include, 'ATen/core/Tensor.h')) || !existsSync(join(api, 'torch/version.h'))) {
    return null;
  }
  return {
    kind,
    includeDirs: [include, api],
    libDir,
    version: readVersion([join(api, 'torch/version.h'), join(include, 'torch/headeronly/version.h')]),
    cuda: existsSync(join(libDir, `libtorch_cuda${SHARED}`)),
    cxx11Abi: folder ? readAbi(folder) : null,
  };
}

/** Newer versions have moved the numbers to a header of their own. */
function readVersion(headers) {
  const text = headers
    .filter((header) => existsSync(header))
    .map((header) => readFileSync(header, 'utf8'))
    .join();
  const part = (name) => text.match(new RegExp(`#define TORCH_VERSION_${name} (\\d+)`))?.[1];
  const parts = ['MAJOR', 'MINOR', 'PATCH'].map(part);
  return parts.every((value) => value !== undefined) ? parts.join('.') : 'unknown';
}

/** Wheels up to 2.6 were built with the old string ABI; their CMake package says so. */
function readAbi(folder) {
  const config = join(folder, 'share/cmake/Torch/TorchConfig.cmake');
  const abi = existsSync(config) && readFileSync(config, 'utf8').match(/_GLIBCXX_USE_CXX11_ABI=([01])/)?.[1];
  return abi ? /** @type {0 | 1} */ (Number(abi)) : null;
}

if (process.argv[1] === import.meta.filename) console.log(findLibtorch());
