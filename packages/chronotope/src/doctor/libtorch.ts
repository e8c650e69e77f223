import { existsSync, realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { distributed, getNumThreads, showConfig, type Versions, version } from '@chronotope/torch';
import { type Judgement, reasonAndHint } from './finding.js';

const PYTHON_TORCH = "python3 -m pip install torch && npm run setup    # its libtorch is used before the system's";

/** Loads libtorch and says which it is, where it is and what it can do. One `missing` if it won't load. */
export function examineLibtorch(): Judgement[] {
  try {
    const versions = version();
    const config = showConfig();
    const libraries = loadedLibraries();
    const file = libraries.find((path) => /\/libtorch_cpu\./.test(path)) ?? 'path unknown';
    return [
      { name: 'libtorch', status: 'ok', detail: `${versions.torch} (${file})` },
      describeBlas(libraries, config),
      describeOneDnn(config),
      describeThreads(getNumThreads(), availableParallelism()),
      describeCuda(versions, config, existsSync('/proc/driver/nvidia/version')),
      describeDistributed(distributed.availableBackends()),
    ];
  } catch (error) {
    const { reason, hint } = reasonAndHint(error);
    return [{ name: 'libtorch', status: 'missing', detail: reason, fix: hint ?? 'npm run setup' }];
  }
}

/**
 * Which linear algebra libtorch really uses: that of a loaded library (real paths), else the one it says it was built
 * with. Debian's libtorch takes whatever `libblas.so.3` leads to, and with the reference one it is many times slower.
 */
export function describeBlas(libraries: string[], config: string): Judgement {
  const name = 'BLAS';
  const known = { OpenBLAS: /openblas/i, MKL: /\/libmkl_/, BLIS: /blis/, Accelerate: /Accelerate/, ATLAS: /atlas/ };
  for (const [title, pattern] of Object.entries(known)) {
    const path = libraries.find((library) => pattern.test(library));
    if (path) return { name, status: 'ok', detail: `${title} (${path})` };
  }
  const reference = libraries.find((library) => /\/libblas\.so/.test(library));
  if (reference) {
    const fix =
      'sudo apt-get install libopenblas0-pthread\nsudo update-alternatives --auto libblas.so.3-$(gcc -dumpmachine)';
    return { name, status: 'warning', detail: `the slow reference BLAS (${reference})`, fix };
  }
  const builtIn = /\bBLAS_INFO=(\w+)/.exec(config)?.[1] ?? 'unknown';
  return { name, status: 'ok', detail: `${builtIn}, part of libtorch` };
}

/** Whether libtorch computes convolutions with oneDNN, and the widest vector instructions it uses. */
export function describeOneDnn(config: string): Judgement {
  const name = 'oneDNN';
  const release = /(?:MKL-DNN|oneDNN) v([\d.]+)/i.exec(config)?.[1];
  const instructions = /CPU capability usage: (\S+)/.exec(config)?.[1];
  const using = instructions && instructions !== 'NO' && instructions !== 'DEFAULT' ? `, ${instructions}` : '';
  if (release && !/USE_MKLDNN=(OFF|0)\b/.test(config)) return { name, status: 'ok', detail: `${release}${using}` };
  const detail = `not in this libtorch: convolutions are several times slower${using}`;
  return { name, status: 'warning', detail, fix: PYTHON_TORCH };
}

/**
 * Which GPUs libtorch can use. A libtorch without CUDA is as it should be, unless the machine has an NVIDIA driver.
 *
 * @param hasDriver whether the machine has one
 */
export function describeCuda({ cuda, cudaDevices }: Versions, config: string, hasDriver: boolean): Judgement {
  const name = 'CUDA';
  const release = /CUDA Runtime ([\d.]+)/.exec(config)?.[1];
  if (cuda) return { name, status: 'ok', detail: `${release ?? 'yes'}, ${cudaDevices} device(s)` };
  if (!hasDriver) return { name, status: 'ok', detail: 'no: training runs on the processor' };
  if (release) {
    const detail = `${release}, but no device can be used though there is an NVIDIA driver`;
    return { name, status: 'warning', detail, fix: 'nvidia-smi    # says whether driver and device are well' };
  }
  const detail = 'this libtorch is for the processor only, though there is an NVIDIA driver';
  return { name, status: 'warning', detail, fix: PYTHON_TORCH };
}

/** What training in several processes can use: `gloo` for the processor, `nccl` for GPUs. */
export function describeDistributed(backends: readonly string[]): Judgement {
  const name = 'Distributed';
  if (backends.length > 0) return { name, status: 'ok', detail: backends.join(', ') };
  const detail = 'no Gloo: training works, but only in one process';
  return { name, status: 'warning', detail, fix: 'sudo apt-get install libgloo-dev && npm run setup' };
}

/** Judges the number of threads libtorch computes with. */
export function describeThreads(threads: number, cores: number): Judgement {
  const detail = `${threads} for ${cores} core(s)`;
  if (threads > 1 || cores === 1) return { name: 'Threads', status: 'ok', detail };
  return { name: 'Threads', status: 'warning', detail, fix: 'unset OMP_NUM_THREADS' };
}

/** Real paths of the shared libraries in this process. */
function loadedLibraries(): string[] {
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
  return sharedObjects.map((path) => {
    try {
      return realpathSync(path);
    } catch {
      return path; // macOS keeps system libraries in a cache, not in files.
    }
  });
}
