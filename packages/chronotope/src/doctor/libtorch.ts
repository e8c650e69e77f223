import { realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { getNumThreads, nn, optim, randn, scope, showConfig, version, zeros } from '@chronotope/torch';
import { type Finding, reasonAndHint } from './finding.js';

const CLIP = { frames: 8, size: 64 };
const BATCH = 8;
const SPEED_TEST_MS = 1000;

/** Loads libtorch and says which it is: version, GPUs, folder, linear algebra, threads. One `missing` if it won't load. */
export function examineLibtorch(): Finding[] {
  try {
    const { torch, cuda, cudaDevices } = version();
    const libraries = loadedLibraries();
    const folder = libraries.find((path) => /\/libtorch_cpu\./.test(path)) ?? 'path unknown';
    const gpus = cuda ? `${cudaDevices} CUDA device(s)` : 'CPU only';
    return [
      { name: 'libtorch', status: 'ok', detail: `${torch}, ${gpus} (${folder})` },
      describeBlas(libraries, showConfig()),
      describeThreads(getNumThreads(), availableParallelism()),
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
export function describeBlas(libraries: string[], config: string): Finding {
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

/** Judges the number of threads libtorch computes with. */
export function describeThreads(threads: number, cores: number): Finding {
  const detail = `${threads} for ${cores} core(s)`;
  if (threads > 1 || cores === 1) return { name: 'Threads', status: 'ok', detail };
  return { name: 'Threads', status: 'warning', detail, fix: 'unset OMP_NUM_THREADS' };
}

/** Trains a small 3D convolution for a second, on the GPU where there is one. Needs libtorch. */
export function testTrainingSpeed(): Finding {
  const name = 'Training speed';
  const device = version().cuda ? 'cuda' : 'cpu';
  try {
    const rate = scope(() => clipsPerSecond(device));
    const size = `${CLIP.frames} x ${CLIP.size} x ${CLIP.size}`;
    return { name, status: 'ok', detail: `${rate.toFixed(0)} clips/s (${size}, two 3D convolutions, ${device})` };
  } catch (error) {
    const { reason, hint } = reasonAndHint(error);
    return { name, status: 'missing', detail: `a training step on ${device} failed: ${reason}`, fix: hint };
  }
}

function clipsPerSecond(device: string): number {
  const model = new nn.Sequential(
    new nn.Conv3d(3, 16, { kernelSize: 3, stride: [1, 2, 2], padding: 1 }),
    new nn.BatchNorm3d(16),
    new nn.ReLU(),
    new nn.Conv3d(16, 32, { kernelSize: 3, stride: 2, padding: 1 }),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool3d(1),
    new nn.Flatten(),
    new nn.Linear(32, 10),
  );
  model.to({ device });
  const optimiser = new optim.SGD(model.parameters(), { lr: 0.01 });
  const clips = randn([BATCH, 3, CLIP.frames, CLIP.size, CLIP.size], { device });
  const labels = zeros([BATCH], { dtype: 'int64', device });
  const step = () =>
    scope(() => {
      const loss = nn.functional.crossEntropy(model.call(clips), labels);
      optimiser.zeroGrad();
      loss.backward();
      optimiser.step();
      loss.item(); // Waits for a GPU to finish.
    });

  step();
  const started = performance.now();
  let steps = 0;
  for (; performance.now() - started < SPEED_TEST_MS; steps += 1) step();
  const rate = (steps * BATCH) / ((performance.now() - started) / 1000);
  model.dispose();
  return rate;
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
