export * from './activations.js';
export {
  MultiheadAttention,
  type MultiheadAttentionCall,
  type MultiheadAttentionOptions,
} from './attention.js';
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormOptions } from './batch-norm.js';
export { chain, Identity, ModuleDict, ModuleList, ParameterList, Sequential } from './containers.js';
export { Conv1d, Conv2d, Conv3d, type ConvOptions, type PerDimension } from './conv.js';
export { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, type ConvTransposeOptions } from './conv-transpose.js';
export { Dropout, Dropout1d, Dropout2d, Dropout3d, StochasticDepth } from './dropout.js';
export { Embedding } from './embedding.js';
export { Flatten, Unflatten } from './flatten.js';
export { foldBatchNorm } from './fold-batch-norm.js';
export * as functional from './functional.js';
export * as init from './init.js';
export { Linear } from './linear.js';
export * from './losses.js';
export { type Layer, type LoadReport, Module, type StateDict } from './module.js';
export { GroupNorm, LayerNorm } from './normalisation.js';
export { Parameter } from './parameter.js';
export * from './pooling.js';
export {
  TransformerEncoderLayer,
  type TransformerEncoderLayerCall,
  type TransformerEncoderLayerOptions,
} from './transformer.js';
export { removeWeightNorm, type WeightNormed, type WeightNormOptions, weightNorm } from './weight-norm.js';
