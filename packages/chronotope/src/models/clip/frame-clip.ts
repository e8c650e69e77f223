import { nn, type Tensor } from '@chronotope/torch';
import { VideoBackbone } from '../backbone.js';
import type { ClipImageTower } from './image-tower.js';

/**
 * A video network that sees one frame at a time: CLIP's image tower on each frame, its features averaged over time where
 * they are pooled. Clips are normalised by CLIP_MEAN and CLIP_STD. Its weights are those of the tower it is given.
 */
export class FrameClip extends VideoBackbone {
  readonly features: number;
  readonly slices = 1;
  readonly timeStride = 1;
  readonly spaceStride: number;
  readonly keyStyle = 'chronotope';
  readonly visual: ClipImageTower;

  constructor(visual: ClipImageTower) {
    super();
    this.visual = visual;
    this.features = visual.width;
    this.spaceStride = visual.patch;
  }

  /** `[N, 3, T, H, W]` to the class tokens after the last norm, `[N, F, T, 1, 1]`. */
  override featureMap(clips: Tensor): Tensor {
    const [videos, , frames] = clips.shape as [number, number, number];
    return this.visual.features(framesOf(clips)).view([videos, frames, -1, 1, 1]).transpose(1, 2);
  }

  /** `[N, 3, T, H, W]` to the mean direction of the frames in the space shared with texts, `[N, E]`. */
  embed(clips: Tensor): Tensor {
    const [videos, , frames] = clips.shape as [number, number, number];
    const embedded = nn.functional.normalize(this.visual.call(framesOf(clips)));
    return embedded.view([videos, frames, -1]).mean(1);
  }
}

/** `[N, 3, T, H, W]` to `[N × T, 3, H, W]`. */
function framesOf(clips: Tensor): Tensor {
  return clips.transpose(1, 2).flatten({ startDim: 0, endDim: 1 });
}
