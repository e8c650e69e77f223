export { Adam, type AdamOptions, AdamW } from './adam.js';
export { type ClipGradNormOptions, clipGradNorm_, clipGradNormPerTensor_, clipGradValue_ } from './clip.js';
export { EMA, type EMAOptions, updateAverages_ } from './ema.js';
export { LARS, type LARSOptions } from './lars.js';
export {
  type CommonOptions,
  Optimizer,
  type OptimizerState,
  type ParamGroup,
  type ParamsOrGroups,
} from './optimizer.js';
export { type PlateauOptions, type PlateauState, ReduceLROnPlateau } from './plateau.js';
export {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  type LinearLROptions,
  LRScheduler,
  MultiStepLR,
  type Schedule,
  type ScheduleFunction,
  type ScheduleMoment,
  type ScheduleRule,
  type ScheduleState,
  SequentialLR,
  StepLR,
  type WarmupCosineOptions,
  warmupCosine,
} from './schedules.js';
export { SGD, type SGDOptions } from './sgd.js';
