export { Adam, type AdamOptions, AdamW } from './adam.js';
export { clipGradNorm_ } from './clip.js';
export {
  type CommonOptions,
  Optimizer,
  type OptimizerState,
  type ParamGroup,
  type ParamsOrGroups,
} from './optimizer.js';
export { SGD, type SGDOptions } from './sgd.js';
