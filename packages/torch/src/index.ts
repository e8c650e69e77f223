export * from './amp/index.js';
export { detectAnomaly, isAnomalyEnabled, setDetectAnomaly } from './anomaly.js';
export * from './autograd.js';
export * from './autograd-function.js';
export * from './buffers.js';
export {
  type ConvolutionChoices,
  type ConvolutionTuning,
  convolutionChoices,
  convolutionTuning,
  setConvolutionChoices,
} from './convolution/tuning.js';
export * from './creation.js';
export * as distributed from './distributed/index.js';
export { TorchError, type TorchErrorCode, type TorchErrorDetails } from './errors.js';
export * from './generated/operators.js';
export { type GradcheckOptions, gradcheck, gradgradcheck } from './gradcheck.js';
export type { GradientHook, HookHandle } from './hooks.js';
export { resampleFrames, turnHue } from './images.js';
export type { Index } from './indexing.js';
export { writeAtomically } from './io/atomic-write.js';
export * from './io/index.js';
export * as nn from './nn/index.js';
export { Parameter } from './nn/index.js';
export { type Argument, Operator, op, type Result } from './operator.js';
export * as optim from './optim/index.js';
export * from './random.js';
export * from './runtime.js';
export { keep, scope } from './scope.js';
export {
  type Device,
  type DType,
  type MemoryFormat,
  type NestedNumbers,
  type Reduction,
  Tensor,
  type TensorData,
} from './tensor.js';
