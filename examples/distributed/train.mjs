// Trains a small classifier in one or several processes; the printed losses are the same.
//
//   node examples/distributed/train.mjs
//   npx chronotope-run --nproc 2 examples/distributed/train.mjs
import { distributed as dist, manualSeed, nn, optim, randn, scope } from '@chronotope/torch';

const SAMPLES = 256;
const BATCH = 32;

// Started by a launcher? Then meet the other ranks. Without one, rank() is 0 and worldSize() is 1.
if (process.env.WORLD_SIZE !== undefined) await dist.initProcessGroup({ timeoutSeconds: 60 });
const distributed = dist.isInitialized();

// The same data on every rank: points, and on which side of a plane they lie.
manualSeed(0);
const points = randn([SAMPLES, 8]);
const sides = points
  .matmul(randn([8]))
  .gt(0)
  .to({ dtype: 'int64' });

const model = new nn.Sequential(new nn.Linear(8, 32), new nn.ReLU(), new nn.Linear(32, 2));
const trained = distributed ? new dist.DistributedDataParallel(model) : model;
const optimizer = new optim.SGD(trained.parameters(), { lr: 0.5 });

// Each rank takes its own share of every batch.
const share = BATCH / dist.worldSize();
for (let epoch = 0; epoch < 5; epoch++) {
  let sum = 0;
  for (let start = 0; start < SAMPLES; start += BATCH) {
    sum += scope(() => {
      const first = start + dist.rank() * share;
      const logits = trained.call(points.narrow(0, first, share));
      const loss = nn.functional.crossEntropy(logits, sides.narrow(0, first, share));
      optimizer.zeroGrad();
      loss.backward(); // gradients are averaged over the ranks in here
      optimizer.step();
      const mean = loss.detach().clone();
      if (distributed) dist.allReduce(mean, { op: 'mean' });
      return mean.item();
    });
  }
  if (dist.rank() === 0) console.log(`epoch ${epoch}  loss ${((sum * BATCH) / SAMPLES).toFixed(4)}`);
}

dist.destroyProcessGroup();
