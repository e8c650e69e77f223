export { AlexNet } from './alexnet.js';
export { type KeyStyle, VideoBackbone } from './backbone.js';
export { Classifier, type ClassifierOptions } from './classifier.js';
export * from './clip/index.js';
export { DinoHead, type DinoHeadOptions } from './dino-head.js';
export {
  createImageBackbone,
  FrameResNet,
  type FrameResNetName,
  type FrameResNetOptions,
} from './frame-resnet.js';
export { ResNet18, ResNet50, type ResNetOptions } from './image-resnet.js';
export { ProjectionHead, type ProjectionHeadOptions, type SliceProjection } from './projection-head.js';
export { BACKBONE_NAMES, type BackboneConfig, createBackbone } from './registry.js';
export { crossCorrelation, SiamFC, type SiamFCOptions, type TrackingBackbone } from './siamfc.js';
export { R3D50, type R3D50Options } from './slow-resnet.js';
export { SmallR3D, type SmallR3DOptions } from './small-r3d.js';
export * from './space-time/index.js';
export {
  type FourDepths,
  type LastStageOptions,
  MC3D18,
  R2Plus1D18,
  R3D18,
  type VideoResNetOptions,
} from './video-resnet.js';
export * from './weights/index.js';
