import type { ScaledCrop, Transform } from '../../augment/settings.js';
import { pretextPlan, similarityPlan, testPlan, trainPlan, twoViewsPlan, type ViewPlan } from '../../data/views.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import type { TestViews } from '../trained-method.js';

/** The stages that see videos in a way of their own. */
export const VIEW_STAGES = [
  'pretrain-invariant',
  'pretrain-distinctive',
  'pretrain-student',
  'supervised',
  'teacher',
  'student',
  'mean-teacher',
  'fixmatch',
  'similarity',
  'evaluation',
] as const;

/** A stage that looks at videos. */
export type ViewStage = (typeof VIEW_STAGES)[number];

/** The clips that a stage wants of every video. */
export function viewPlan(recipe: TimeBalanceRecipe, stage: ViewStage): ViewPlan {
  const { clips, pretrain, similarity } = recipe;
  const ofPretraining = { ...clips, frames: pretrainFrames(recipe) };
  switch (stage) {
    case 'pretrain-invariant':
      return pretextPlan(ofPretraining, pretrain.invariant.augment);
    case 'pretrain-distinctive':
      return pretextPlan(ofPretraining, pretrain.distinctive.augment);
    case 'pretrain-student':
      return pretextPlan(ofPretraining, pretrain.student.augment);
    case 'supervised':
    case 'teacher':
    case 'student':
      return trainPlan(clips, recipe[stage].augment);
    case 'mean-teacher':
      return twoViewsPlan(clips, { weak: recipe.student.augment, strong: recipe.student.augment });
    case 'fixmatch':
      return twoViewsPlan(clips, { weak: recipe.supervised.augment, strong: recipe.student.augment });
    case 'similarity':
      return similarityPlan(clips, { ...similarity, transform: centreCrop(recipe) });
    case 'evaluation':
      return evaluationPlan(recipe);
  }
}

/** Frames of a clip of stages A_I, A_D and A_S. */
export function pretrainFrames({ clips }: TimeBalanceRecipe): number {
  return clips.pretrainFrames ?? clips.frames;
}

/** The clips of stage E; the recipe's own crop is the centre, squashed to a square. */
export function evaluationPlan(recipe: TimeBalanceRecipe, { clips, crops = 1 }: TestViews = {}): ViewPlan {
  const transforms: Transform[] = crops === 1 ? [centreCrop(recipe)] : THREE_CROPS;
  return testPlan(recipe.clips, { clips: clips ?? recipe.evaluation.clips, transforms });
}

function centreCrop({ evaluation }: TimeBalanceRecipe): Transform {
  return { centreCrop: evaluation.centreCrop };
}

/** The usual three-crop test, with pixel values as this method trains on them. */
const THREE_CROPS = (['first', 'middle', 'last'] as const).map(
  (position): ScaledCrop => ({ shortSide: 1, position, interpolation: 'bilinear', normalise: null }),
);
