import { imagenetTest } from '../../augment/presets.js';
import type { Transform } from '../../augment/settings.js';
import { relatedFramesPlan, testPlan, type ViewPlan } from '../../data/views.js';
import type { CclRecipe } from '../../recipes/ccl.js';
import { imageAugmentation, THREE_CROPS } from '../image-augmentation.js';
import type { TestViews } from '../trained-method.js';
import { usesCandidates } from './settings.js';

/** `query`, `key` and, where the objective needs them, `candidates`, of each training video; single frames. */
export function pretrainPlan(recipe: CclRecipe): ViewPlan {
  const { framesPerVideo, spacingSeconds, candidates, positiveFrame } = recipe.views;
  const transform = imageAugmentation(recipe.pretrain.augment);
  const plan = (spacing: number | null) =>
    relatedFramesPlan({ framesPerVideo, spacingSeconds: spacing, candidates, positiveFrame }, transform);
  const [fromVideos, fromPictures] = [plan(spacingSeconds), plan(null)];
  const needed = usesCandidates(recipe) ? fromVideos.views.length : fromVideos.views.length - 1;
  const images = needed === fromVideos.views.length ? undefined : 2;
  return {
    views: fromVideos.views.slice(0, needed),
    // Pictures of a data set such as R2V2 have no times: they were chosen when the set was made.
    clips: (video, random) =>
      (video.timestamps?.length ? fromVideos : fromPictures).clips(video, random)?.slice(0, images) ?? null,
  };
}

/** Evenly spread clips of a test video, `clips` [M, N, …]; one crop is ImageNet's, three lie along the longer side. */
export function evaluationPlan({ evaluation }: CclRecipe, { clips, crops = 1 }: TestViews = {}): ViewPlan {
  const { frames, stride } = evaluation;
  const geometry = { frames, stride, globalStride: stride, localClips: 1, virtualFrames: null };
  const transforms: Transform[] = crops === 1 ? [imagenetTest] : THREE_CROPS;
  return testPlan({ ...geometry, shortVideo: 'loop' }, { clips: clips ?? evaluation.clips, transforms });
}
