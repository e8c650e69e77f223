export { VideoBackbone } from './backbone.js';
export { Classifier, type ClassifierOptions } from './classifier.js';
export { ProjectionHead, type ProjectionHeadOptions, type SliceProjection } from './projection-head.js';
export { R3D18, type R3D18Options } from './r3d.js';
export { BACKBONE_NAMES, type BackboneConfig, createBackbone } from './registry.js';
export { SmallR3D, type SmallR3DOptions } from './small-r3d.js';
