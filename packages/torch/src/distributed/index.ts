export {
  allGather,
  allGatherAsync,
  allGatherObject,
  allGatherWithGrad,
  allReduce,
  allReduceAsync,
  type BroadcastOptions,
  barrier,
  barrierAsync,
  broadcast,
  broadcastAsync,
  type ReduceOptions,
  type Reduction,
  reduceScatter,
} from './collectives.js';
export { type DataParallelOptions, DistributedDataParallel } from './data-parallel.js';
export {
  availableBackends,
  destroyProcessGroup,
  initProcessGroup,
  isInitialized,
  localRank,
  rank,
  worldSize,
} from './process-group.js';
export type { Backend, ProcessGroupOptions } from './rendezvous.js';
export { convertSyncBatchNorm, SyncBatchNorm } from './sync-batch-norm.js';
