import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { nn, optim, randn, scope, version, zeros } from '@chronotope/torch';
import type { ArithmeticSpeed } from './arithmetic.js';
import { type Judgement, reasonAndHint } from './finding.js';

const CLIP = { frames: 8, size: 64 };
const BATCH = 8;
const TRAINING_MS = 1000;
const ARITHMETIC = fileURLToPath(new URL('./arithmetic.js', import.meta.url));
const TIMEOUT_MS = 60_000;

/**
 * Measures a matrix product and a 3D convolution on the processor, with one thread and with all. Each number of threads
 * has a process of its own: BLAS libraries take theirs from the environment, when they are loaded.
 */
export async function testArithmeticSpeed(cores = availableParallelism()): Promise<Judgement[]> {
  const counts = cores === 1 ? [1] : [1, cores];
  try {
    const speeds: (ArithmeticSpeed & { threads: number })[] = [];
    for (const threads of counts) speeds.push({ threads, ...(await arithmeticSpeed(threads)) });
    const judge = (name: string, of: (speed: ArithmeticSpeed) => number): Judgement => ({
      name,
      status: 'ok',
      detail: speeds.map((speed) => `${of(speed).toFixed(0)} GFLOP/s with ${plural(speed.threads)}`).join(', '),
      measured: Object.fromEntries(speeds.map((speed) => [`gflops_${speed.threads}_threads`, rounded(of(speed))])),
    });
    return [judge('Matrix product', ({ matmul }) => matmul), judge('3D convolution', ({ convolution }) => convolution)];
  } catch (error) {
    const { reason } = reasonAndHint(error);
    return [{ name: 'Arithmetic', status: 'missing', detail: `a computation failed: ${reason}`, fix: 'npm run setup' }];
  }
}

async function arithmeticSpeed(threads: number): Promise<ArithmeticSpeed> {
  const count = String(threads);
  const env = { ...process.env, OMP_NUM_THREADS: count, OPENBLAS_NUM_THREADS: count, MKL_NUM_THREADS: count };
  const { stdout } = await promisify(execFile)(process.execPath, [ARITHMETIC], { env, timeout: TIMEOUT_MS });
  return JSON.parse(stdout) as ArithmeticSpeed;
}

/** Trains a small 3D convolution for a second, on the GPU where there is one. Needs libtorch. */
export function testTrainingSpeed(): Judgement {
  const name = 'Training';
  const device = version().cuda ? 'cuda' : 'cpu';
  try {
    const rate = scope(() => clipsPerSecond(device));
    const size = `${CLIP.frames} x ${CLIP.size} x ${CLIP.size}`;
    const detail = `${rate.toFixed(0)} clips/s (${size}, two 3D convolutions, ${device})`;
    return { name, status: 'ok', detail, measured: { clips_per_second: rounded(rate) } };
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
  for (; performance.now() - started < TRAINING_MS; steps += 1) step();
  const rate = (steps * BATCH) / ((performance.now() - started) / 1000);
  model.dispose();
  return rate;
}

const plural = (threads: number) => (threads === 1 ? '1 thread' : `${threads} threads`);
const rounded = (value: number) => Number(value.toPrecision(3));
