import { imagenetTest } from '../../augment/presets.js';
import type { Transform } from '../../augment/settings.js';
import {
  type ClipGeometry,
  relatedFramesPlan,
  testPlan,
  trainPlan,
  type View,
  type ViewPlan,
} from '../../data/views.js';
import type { CclRecipe } from '../../recipes/ccl.js';
import { imageAugmentation, THREE_CROPS } from '../image-augmentation.js';
import type { TestViews } from '../trained-method.js';
import { usesCandidates } from './settings.js';

/**
 * `query`, `key` and, where the objective needs them, `candidates`, of each training video; single frames.
 *
 * @param pictures whether the stored frames are the frames that stand for a video already; see `arePictures`
 */
export function pretrainPlan(recipe: CclRecipe, pictures: boolean): ViewPlan {
  const { spacingSeconds, ...views } = recipe.views;
  const transform = imageAugmentation(recipe.pretrain.augment);
  const plan = relatedFramesPlan({ ...views, spacingSeconds: pictures ? null : spacingSeconds }, transform);
  if (usesCandidates(recipe)) return plan;
  const [query, key] = plan.views as [View, View];
  return { views: [query, key], clips: (video, random) => plan.clips(video, random)?.slice(0, 2) ?? null };
}

/** Evenly spread clips of a test video, `clips` [M, N, …]; one crop is ImageNet's, three lie along the longer side. */
export function evaluationPlan(recipe: CclRecipe, { clips, crops = 1 }: TestViews = {}): ViewPlan {
  const transforms: Transform[] = crops === 1 ? [imagenetTest] : THREE_CROPS;
  return testPlan(testGeometry(recipe), { clips: clips ?? recipe.evaluation.clips, transforms });
}

/** One clip of a training video as long as those of tests, at a random time, augmented as in pre-training. */
export function fineTuningPlan(recipe: CclRecipe): ViewPlan {
  return trainPlan(testGeometry(recipe), imageAugmentation(recipe.pretrain.augment));
}

function testGeometry({ evaluation: { frames, stride } }: CclRecipe): ClipGeometry {
  return { frames, stride, globalStride: stride, localClips: 1, virtualFrames: null, shortVideo: 'loop' };
}
