// A rank that calls every collective and reports what it got.
import { distributed as dist, scope, type Tensor, tensor, zeros } from '../../index.js';
import { report } from './ranks.js';

/** What each rank writes for the test to compare. */
export interface CollectiveResults {
  rank: number;
  size: number;
  reductions: Record<string, unknown>;
  strided: unknown;
  bfloat16: unknown;
  integers: unknown;
  broadcast: unknown;
  gathered: unknown;
  gatheredScalars: unknown;
  gatheredBools: { dtype: string; values: unknown };
  gatheredEmpty: readonly number[];
  scattered: unknown;
  scatteredMean: unknown;
  objects: unknown;
  gradient: unknown;
  afterDestroy: number;
  errors: Record<string, string>;
}

const { rank, allReduce, allReduceAsync, allGather, allGatherAsync, allGatherWithGrad } = dist;

function messageOf(body: () => unknown): string {
  try {
    body();
    return 'no error';
  } catch (error) {
    const { message, hint } = error as Error & { hint?: string };
    return `${message} | ${hint}`;
  }
}

/** [rank + 1, -rank] */
const own = () => tensor([rank() + 1, -rank()]);

function reduced(op: dist.Reduction): unknown {
  const values = own();
  allReduce(values, { op });
  return values.toArray();
}

function stridedSum(): unknown {
  const whole = tensor([
    [1, 2],
    [3, 4],
  ]);
  allReduce(whole.transpose(0, 1).select(0, 0));
  return whole.toArray();
}

function sumOf(dtype: 'bfloat16' | 'int64'): unknown {
  const values = tensor([1.5 * rank(), 2], { dtype });
  allReduce(values);
  return values.toArray();
}

/** Each rank weighs the gathered rows differently, so that a missing contribution shows. */
function gatherGradient(): unknown {
  const rows = tensor([[rank(), 1]], { requiresGrad: true });
  const gathered = allGatherWithGrad(rows.mul(2));
  gathered
    .mul(rank() + 1)
    .square()
    .sum()
    .backward();
  return rows.grad!.toArray();
}

const errors: Record<string, string> = {
  noGroup: messageOf(() => dist.barrier()),
};
await dist.initProcessGroup({ timeoutSeconds: 60 });
errors.twice = await dist.initProcessGroup().then(
  () => 'no error',
  (error: Error) => error.message,
);
errors.shapes = messageOf(() => allReduce(zeros([2 + rank(), 3])));
errors.order = messageOf(() => (rank() === 0 ? dist.barrier() : allGather(zeros([2]))));
errors.reduceBool = messageOf(() => allReduce(tensor([true])));
errors.meanOfIntegers = messageOf(() => allReduce(tensor([1], { dtype: 'int64' }), { op: 'mean' }));
errors.source = messageOf(() => dist.broadcast(own(), { src: 2 }));
errors.uneven = messageOf(() => dist.reduceScatter(zeros([3])));

const asynchronous = own();
await allReduceAsync(asynchronous, { op: 'mean' });
const fromOne = own();
await dist.broadcastAsync(fromOne, { src: 1 });
await dist.barrierAsync();
const bools: Tensor = scope(() => allGather(tensor([rank() === 1, true])));

const results: Omit<CollectiveResults, 'afterDestroy'> = {
  rank: rank(),
  size: dist.worldSize(),
  reductions: {
    sum: reduced('sum'),
    mean: reduced('mean'),
    min: reduced('min'),
    max: reduced('max'),
    meanAsync: asynchronous.toArray(),
  },
  strided: stridedSum(),
  bfloat16: sumOf('bfloat16'),
  integers: sumOf('int64'),
  broadcast: fromOne.toArray(),
  gathered: allGather(tensor([[rank(), 7]])).toArray(),
  gatheredScalars: (await allGatherAsync(tensor(rank() * 10))).toArray(),
  gatheredBools: { dtype: bools.dtype, values: bools.toArray() },
  gatheredEmpty: allGather(zeros([0, 3])).shape,
  scattered: dist.reduceScatter(tensor([[1], [2], [3], [4 + rank()]])).toArray(),
  scatteredMean: dist.reduceScatter(tensor([rank(), 5]), { op: 'mean' }).toArray(),
  objects: dist.allGatherObject({ rank: rank(), text: 'é'.repeat(rank()) }),
  gradient: gatherGradient(),
  errors,
};
dist.barrier();
dist.destroyProcessGroup();
report({ ...results, afterDestroy: dist.worldSize() });
