import type { ManifestEntry } from '../data/manifest.js';
import type { ViewPlan } from '../data/views.js';
import type { FrameSettings } from '../recipes/parts.js';
import type { MethodName, VideoRecipe } from '../recipes/schemas.js';
import { arePictures, forPictures } from './ccl/settings.js';
import * as ccl from './ccl/view-plans.js';
import * as clip from './clip/view-plans.js';
import * as frames from './frames/view-plans.js';
import * as lss from './lss/views.js';
import { VIEW_STAGES, viewPlan } from './timebalance/view-plans.js';

/** The stages of each method that see videos in a way of their own; the views of the first show best what it learns from. */
export const STAGES_WITH_VIEWS: Readonly<Record<Exclude<MethodName, 'tracker'>, readonly string[]>> = {
  timebalance: ['pretrain-student', ...VIEW_STAGES.filter((stage) => stage !== 'pretrain-student')],
  ccl: ['pretrain', 'evaluation'],
  frames: ['classifier', 'evaluation'],
  clip: ['pretrain', 'evaluation'],
  lss: ['self-distillation', 'evaluation'],
};

/** How a stage sees videos. */
export interface StageViews {
  plan: ViewPlan;
  /** How the frames that its clips are chosen from are stored. */
  frames: FrameSettings;
}

/**
 * The views that the networks of a stage get, from the plan that its own loader uses.
 *
 * @param stage one of {@link STAGES_WITH_VIEWS}
 * @param videos what the method is trained on: CCL sees pictures and videos differently
 */
export function stageViews(recipe: VideoRecipe, stage: string, videos: readonly ManifestEntry[]): StageViews {
  const isTest = stage === 'evaluation';
  switch (recipe.method) {
    case 'timebalance':
      return { plan: viewPlan(recipe, VIEW_STAGES.find((one) => one === stage)!), frames: recipe.frames };
    case 'ccl': {
      const plan = isTest ? ccl.evaluationPlan(recipe) : ccl.pretrainPlan(recipe, arePictures(recipe, videos));
      return { plan, frames: forPictures(recipe, videos).frames };
    }
    case 'frames':
      return { plan: isTest ? frames.evaluationPlan(recipe) : frames.trainingPlan(recipe), frames: recipe.frames };
    case 'clip':
      return { plan: isTest ? clip.evaluationPlan(recipe) : clip.trainingPlan(recipe), frames: recipe.frames };
    case 'lss':
      return { plan: isTest ? lss.evaluationPlan(recipe) : lss.trainingPlan(recipe), frames: recipe.frames };
  }
}
