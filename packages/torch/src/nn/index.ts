export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormOptions } from './batch-norm.js';
export { chain, Identity, ModuleList, Sequential } from './containers.js';
export { Conv1d, Conv2d, Conv3d, type ConvOptions, type PerDimension } from './conv.js';
export * as functional from './functional.js';
export * as init from './init.js';
export { AdaptiveAvgPool3d, Dropout, Flatten, MaxPool3d, type MaxPoolOptions, ReLU } from './layers.js';
export { Linear } from './linear.js';
export { type Layer, type LoadReport, Module, type StateDict } from './module.js';
export { Parameter } from './parameter.js';
