export { Clip } from './clip.js';
export { type ClipFormat, type LoadedClip, loadClip, recogniseClip, saveClip } from './clip-weights.js';
export { FrameClip } from './frame-clip.js';
export { CLIP_MEAN, CLIP_STD, ClipImageTower } from './image-tower.js';
export { type PositionInterpolation, resizePositions } from './positions.js';
export {
  CLIP_SHAPES,
  type ClipActivation,
  type ClipShape,
  clipShapeOf,
  type ImageTowerShape,
  type TextTowerShape,
  type TransformerShape,
  type UnreadableShape,
} from './shape.js';
export { ClipTextTower } from './text-tower.js';
export { ClipMlp, ClipTransformer, ResidualAttentionBlock } from './transformer.js';
