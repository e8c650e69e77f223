import { clipNormalisation, clipPreprocess } from '../../augment/presets.js';
import type { ContrastiveAugmentation, ScaledCrop } from '../../augment/settings.js';
import { type ClipGeometry, testPlan, trainPlan, type ViewPlan } from '../../data/views.js';
import type { ClipRecipe } from '../../recipes/clip.js';
import type { TestViews } from '../trained-method.js';

/** One frame of a training video at a random time. */
export function trainingPlan(recipe: ClipRecipe): ViewPlan {
  return trainPlan(SINGLE_FRAMES, trainTransform(recipe));
}

/** Single frames, evenly spread over a test video. */
export function evaluationPlan(
  { evaluation }: Pick<ClipRecipe, 'evaluation'>,
  { clips = evaluation.clips, crops = 1 }: TestViews = {},
): ViewPlan {
  const transforms = crops === 1 ? [clipPreprocess] : THREE_CROPS;
  return testPlan(SINGLE_FRAMES, { clips, transforms });
}

/** A frame is a clip of one frame. */
const SINGLE_FRAMES: ClipGeometry = {
  frames: 1,
  stride: 1,
  globalStride: 1,
  localClips: 1,
  virtualFrames: null,
  shortVideo: 'repeat-last',
};

const THREE_CROPS = (['first', 'middle', 'last'] as const).map(
  (position): ScaledCrop => ({ ...clipPreprocess, position }),
);

function trainTransform({ train }: ClipRecipe): ContrastiveAugmentation {
  const { area, flip, jitter, grayscale } = train.augment;
  return {
    randomCrop: { kind: 'resized', area, ratio: [3 / 4, 4 / 3] },
    interpolation: 'bicubic',
    flip,
    jitter,
    grayscale,
    grayscaleFirst: false,
    blur: { probability: 0, sigma: [1, 1] },
    solarise: { probability: 0, threshold: 1 },
    clamp: true,
    luma: 'rec601',
    normalise: clipNormalisation,
  };
}
