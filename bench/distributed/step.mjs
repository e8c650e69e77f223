// One rank of bench/distributed/run.mjs: steps of DistributedDataParallel; rank 0 prints milliseconds a step.
import { distributed as dist, manualSeed, nn, optim, randn, scope, setNumThreads, tensor } from '@chronotope/torch';

const [kind, steps] = [process.argv[2], Number(process.argv[3])];
setNumThreads(1);
await dist.initProcessGroup({ timeoutSeconds: 300, verifyCollectives: kind !== 'all-reduce' });
manualSeed(0);

if (kind.endsWith('all-reduce')) {
  const value = tensor([1]);
  measure(() => dist.allReduce(value));
} else {
  const layers = Array.from({ length: 8 }, () => [new nn.Linear(1024, 1024), new nn.ReLU()]).flat();
  const model = new dist.DistributedDataParallel(new nn.Sequential(...layers));
  const optimizer = new optim.SGD(model.parameters(), { lr: 1e-3 });
  const x = randn([Number(kind), 1024]);
  measure(() =>
    scope(() => {
      optimizer.zeroGrad();
      model.call(x).square().mean().backward();
      optimizer.step();
    }),
  );
}
dist.destroyProcessGroup();

function measure(body) {
  for (let i = 0; i < 3; i++) body();
  dist.barrier();
  const started = performance.now();
  for (let i = 0; i < steps; i++) body();
  dist.barrier();
  if (dist.rank() === 0) console.log((performance.now() - started) / steps);
}
