// Models and data that the ranks and the test, which trains alone, build alike.
import { manualSeed, nn, optim, randn, scope, type Tensor, tensor } from '../../index.js';

/** Samples of the whole batch, over all ranks. */
export const SAMPLES = 8;
const CLASSES = 3;

/** An untrained classifier of `[N, 2, T, H, W]`, with or without batch normalisation. */
export function classifier(normalized: boolean): nn.Module & { forward(x: Tensor): Tensor } {
  manualSeed(1);
  return new nn.Sequential(
    new nn.Conv3d(2, 4, { kernelSize: 3, bias: false }),
    ...(normalized ? [new nn.BatchNorm3d(4)] : []),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool3d(1),
    new nn.Flatten(),
    new nn.Linear(4, CLASSES),
  );
}

/** Clips `[SAMPLES, 2, 3, 4, 4]` of uneven scale, and their classes. */
export function batch(): { clips: Tensor; labels: Tensor } {
  manualSeed(2);
  const scales = tensor(Array.from({ length: SAMPLES }, (_, i) => 1 + i)).reshape([SAMPLES, 1, 1, 1, 1]);
  const labels = tensor(
    Array.from({ length: SAMPLES }, (_, i) => i % CLASSES),
    { dtype: 'int64' },
  );
  return { clips: randn([SAMPLES, 2, 3, 4, 4]).mul(scales), labels };
}

/** Three steps of SGD with momentum on some of the samples. */
export function train(
  model: nn.Module & { forward(x: Tensor): Tensor },
  { from, count }: { from: number; count: number },
): void {
  const { clips, labels } = batch();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  for (let step = 0; step < 3; step++) {
    scope(() => {
      optimizer.zeroGrad();
      const logits = model.call(clips.narrow(0, from, count));
      nn.functional.crossEntropy(logits, labels.narrow(0, from, count)).backward();
      optimizer.step();
    });
  }
}

/** All values of a state dict, by key. */
export function stateOf(model: nn.Module): Record<string, number[]> {
  const entries = [...model.stateDict()].map(([key, values]) => [key, Array.from(values.data(), Number)]);
  return Object.fromEntries(entries) as Record<string, number[]>;
}
