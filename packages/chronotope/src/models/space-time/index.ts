export { ClipVideo, type ClipVideoOptions } from './clip-video.js';
export {
  type ClipTokens,
  SpaceTimeTransformer,
  type TokenPooling,
  type TokenPoolingOptions,
} from './space-time-transformer.js';
export { SpaceTimeViT, type SpaceTimeViTOptions } from './space-time-vit.js';
export { SPACE_TIME_ATTENTION, type SpaceTimeAttention } from './wiring.js';
