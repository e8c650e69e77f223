// A rank that trains on its share of a batch in several ways and reports what came out.
import { distributed as dist, manualSeed, memory, nn, randn, scope, type Tensor, tensor } from '../../index.js';
import { batch, classifier, SAMPLES, stateOf, train } from './models.js';
import { report } from './ranks.js';

/** What each rank writes for the test to compare. */
export interface DataParallelResults {
  trained: Record<string, number[]>;
  trainedInOneBucket: Record<string, number[]>;
  trainedNormalized: Record<string, number[]>;
  converted: Record<string, number[]>;
  halfDifference: number;
  startingWeights: unknown;
  accumulated: unknown;
  withoutSync: unknown;
  unusedError: string;
  afterError: unknown;
  branches: Record<string, unknown>;
  differentModules: string;
  frozen: string;
  buffers: unknown;
  leaked: number;
}

const SMALL_BUCKETS = { bucketMegabytes: 0.0001 };
const share = SAMPLES / 2;

await dist.initProcessGroup({ timeoutSeconds: 60 });
const rank = dist.rank();
const { DistributedDataParallel } = dist;

function messageOf(body: () => unknown): string {
  try {
    body();
    return 'no error';
  } catch (error) {
    return (error as Error).message;
  }
}

function trained(normalized: boolean, options: dist.DataParallelOptions): Record<string, number[]> {
  const ddp = new DistributedDataParallel(classifier(normalized), options);
  if (normalized) dist.convertSyncBatchNorm(ddp);
  train(ddp, { from: rank * share, count: share });
  return stateOf(ddp.module);
}

/** y = a x, where rank 0's batches are 1 and 2, rank 1's 10 and 20. */
class Slope extends nn.Module {
  a = new nn.Parameter(tensor([1]));
  override forward(x: Tensor): Tensor {
    return this.a.mul(x);
  }
}

function accumulation(): { withoutSync: unknown; accumulated: unknown } {
  const ddp = new DistributedDataParallel(new Slope());
  const factor = rank === 0 ? 1 : 10;
  ddp.noSync(() => ddp.call(tensor([factor])).backward());
  const withoutSync = ddp.module.a.grad!.toArray();
  ddp.call(tensor([2 * factor])).backward();
  return { withoutSync, accumulated: ddp.module.a.grad!.toArray() };
}

/** Each rank uses the parameter of its own number; `neither` is used by none. */
class Branches extends nn.Module {
  zero = new nn.Parameter(tensor([3]));
  one = new nn.Parameter(tensor([5]));
  neither = new nn.Parameter(tensor([7]));
  override forward(all: boolean): Tensor {
    if (all) return this.zero.add(this.one).add(this.neither);
    return rank === 0 ? this.zero.mul(2) : this.one.mul(4);
  }
}

function unused(): Pick<DataParallelResults, 'unusedError' | 'afterError'> {
  const ddp = new DistributedDataParallel(new Branches(), SMALL_BUCKETS);
  const unusedError = messageOf(() => ddp.call(false).backward());
  ddp.zeroGrad();
  ddp.call(true).backward();
  return { unusedError, afterError: ddp.parameters().map((parameter) => parameter.grad?.item()) };
}

function branches(): Record<string, unknown> {
  const ddp = new DistributedDataParallel(new Branches(), { ...SMALL_BUCKETS, findUnusedParameters: true });
  ddp.call(false).backward();
  return Object.fromEntries([...ddp.module.namedParameters()].map(([name, { grad }]) => [name, grad?.item() ?? null]));
}

/** How far 16 bits are from what one process does with all values in 32; a channel has more than 16 bits can count. */
function halfDifference(): number {
  manualSeed(7);
  const all = randn([2, 2, 300, 300]).add(2);
  const alone = new nn.BatchNorm2d(2).call(all).narrow(0, rank, 1);
  const half = all.narrow(0, rank, 1).to({ dtype: 'float16' });
  const together = new dist.SyncBatchNorm(2).call(half);
  return together.dtype === 'float16' ? together.to({ dtype: 'float32' }).sub(alone).abs().max().item() : Infinity;
}

function startingWeights(): unknown {
  manualSeed(rank);
  return new DistributedDataParallel(new nn.Linear(2, 2)).module.weight.toArray();
}

function differentModules(): string {
  return messageOf(() => new DistributedDataParallel(new nn.Sequential(new nn.Linear(2, 2 + rank))));
}

function broadcastBuffers(): unknown {
  const ddp = new DistributedDataParallel(new nn.BatchNorm1d(1));
  ddp.call(tensor([[rank], [rank]]));
  ddp.call(tensor([[rank], [rank]]));
  return ddp.module.runningMean.item();
}

function leaked(): number {
  const ddp = new DistributedDataParallel(classifier(false), SMALL_BUCKETS);
  const { clips } = batch();
  const step = () => scope(() => ddp.call(clips).mean().backward());
  step();
  const before = memory().liveTensors;
  for (let i = 0; i < 5; i++) step();
  return memory().liveTensors - before;
}

report({
  trained: trained(false, SMALL_BUCKETS),
  trainedInOneBucket: trained(false, {}),
  trainedNormalized: trained(true, SMALL_BUCKETS),
  converted: stateOf(dist.convertSyncBatchNorm(classifier(true))),
  halfDifference: halfDifference(),
  startingWeights: startingWeights(),
  ...accumulation(),
  ...unused(),
  branches: branches(),
  differentModules: differentModules(),
  frozen: messageOf(() => new DistributedDataParallel(new nn.Linear(1, 1).requiresGrad_(false))),
  buffers: broadcastBuffers(),
  leaked: leaked(),
} satisfies DataParallelResults);
dist.destroyProcessGroup();
