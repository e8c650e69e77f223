// A network learns which of two rings a point lies on: a stage of its own, with everything that the trainer can do.
//
//   node examples/training/train.mjs runs/rings
//   npx chronotope-run --nproc 2 examples/training/train.mjs runs/rings-2      # the same from two processes
import { manualSeed, nn, noGrad, optim, rand, scope, stack } from '@chronotope/torch';
import {
  namedSchedule,
  partOfBatch,
  StageFolder,
  shard,
  trainingSettings,
  trainStage,
  withProcesses,
} from 'chronotope';

const folder = process.argv[2] ?? 'runs/rings';
const steps = 300;
const settings = trainingSettings.parse({
  accumulate: 2,
  clipGradients: 1,
  ema: { decay: 0.98 },
  validation: { every: 50, patience: 4 },
  tensorboard: true,
});
const progress = {
  begin: (title) => ({ update: () => {}, end: (summary) => console.log(`${title}: ${summary}`) }),
  note: (line) => console.log(line),
};

/** Points on two rings, and the ring of each; the same for the same seed. */
function points(count, seed) {
  manualSeed(seed);
  const [angle, ring] = [rand([count]).mul(2 * Math.PI), rand([count]).gt(0.5)];
  const radius = ring
    .mul(0.5)
    .add(0.5)
    .add(rand([count]).mul(0.3));
  return {
    x: stack([angle.cos().mul(radius), angle.sin().mul(radius)], { dim: 1 }),
    labels: ring.to({ dtype: 'int64' }),
  };
}

/** What the trainer wants from a method: batches, and a loss with metrics and the names of the samples. */
function training(model) {
  const { rank, worldSize } = shard();
  const share = partOfBatch(64, settings) / worldSize;
  return {
    title: 'rings',
    progress,
    steps,
    settings,
    optimizer: new optim.Adam(model.parameters(), { lr: 0.01 }),
    schedule: namedSchedule(settings.schedule, { steps, warmupSteps: 10 }),
    batch: (index) => points(share, 1 + index * worldSize + rank),
    loss: ({ x, labels }) => {
      const logits = model.call(x);
      const accuracy = logits.argmax(1).eq(labels).to({ dtype: 'float32' }).mean();
      return {
        loss: nn.functional.crossEntropy(logits, labels),
        metrics: { accuracy },
        ids: Array(share).fill('point'),
      };
    },
    validation: {
      metric: 'accuracy',
      better: 'higher',
      measure: () =>
        scope(() => {
          const { x, labels } = points(1000, 0);
          const right = noGrad(() => model.call(x).argmax(1).eq(labels));
          return { accuracy: right.to({ dtype: 'float32' }).mean().item() };
        }),
    },
  };
}

await withProcesses(async () => {
  manualSeed(1);
  const model = new nn.Sequential(new nn.Linear(2, 32), new nn.ReLU(), new nn.Linear(32, 2));
  const stage = new StageFolder(folder, 'rings');
  await trainStage(stage, model, () => training(model));
  if (shard().rank === 0) console.log('best', stage.result().best);
});
