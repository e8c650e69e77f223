import { imagenetTest } from '../../augment/presets.js';
import { denseTestPlan, trainPlan, type ViewPlan } from '../../data/views.js';
import type { FramesRecipe } from '../../recipes/frames.js';
import { imageAugmentation, THREE_CROPS } from '../image-augmentation.js';
import type { TestViews } from '../trained-method.js';

/** One clip of a training video at a random time, augmented alike in all its frames. */
export function trainingPlan({ clips, training }: FramesRecipe): ViewPlan {
  const geometry = { ...clips, globalStride: clips.stride, localClips: 1, virtualFrames: null };
  return trainPlan(geometry, imageAugmentation(training.augment));
}

/** The official dense test: clips of consecutive frames, evenly spread. */
export function evaluationPlan(
  { clips, evaluation }: FramesRecipe,
  { clips: wanted, crops = 1 }: TestViews = {},
): ViewPlan {
  const { frames, fps, shortVideo } = clips;
  const transforms = crops === 1 ? [imagenetTest] : THREE_CROPS;
  const count = wanted ?? evaluation.clips;
  return denseTestPlan({ frames, fps, virtualFrames: null, shortVideo, clips: count, transforms });
}
