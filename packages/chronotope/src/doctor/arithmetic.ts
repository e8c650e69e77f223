// Measures this process's arithmetic and prints it as JSON: run by speed.ts, with threads as the environment says.
import { conv3d, inferenceMode, matmul, randn, scope, type Tensor } from '@chronotope/torch';

const MEASURE_MS = 300;

/** Speeds in 10^9 floating-point operations a second. */
export interface ArithmeticSpeed {
  matmul: number;
  convolution: number;
}

const speed: ArithmeticSpeed = inferenceMode(() =>
  scope(() => ({ matmul: matmulSpeed(), convolution: conv3dSpeed() })),
);
process.stdout.write(JSON.stringify(speed));

/** Two square float32 matrices. */
function matmulSpeed(size = 768): number {
  const [a, b] = [randn([size, size]), randn([size, size])];
  return speedOf(() => matmul(a, b), 2 * size ** 3);
}

/** The 3x3x3 convolutions in the middle of a small R3D: float32 `[4, 32, 8, 28, 28]`, 32 channels to 32. */
function conv3dSpeed(channels = 32, [batch, frames, height, width] = [4, 8, 28, 28] as const): number {
  const clips = randn([batch, channels, frames, height, width]);
  const weight = randn([channels, channels, 3, 3, 3]);
  const operations = 2 * batch * frames * height * width * channels * channels * 27;
  return speedOf(() => conv3d(clips, weight, { padding: [1, 1, 1] }), operations);
}

function speedOf(work: () => Tensor, operations: number): number {
  const once = () => scope(() => void work());
  once(); // The first call chooses algorithms and allocates.
  const started = performance.now();
  let times = 0;
  for (; performance.now() - started < MEASURE_MS; times += 1) once();
  return (times * operations) / (performance.now() - started) / 1e6;
}
