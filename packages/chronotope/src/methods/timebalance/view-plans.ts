import { pretextPlan, similarityPlan, testPlan, trainPlan, type ViewPlan } from '../../data/views.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';

/** The stages that see videos in a way of their own. */
export const VIEW_STAGES = [
  'pretrain-invariant',
  'pretrain-distinctive',
  'pretrain-student',
  'supervised',
  'teacher',
  'student',
  'similarity',
  'evaluation',
] as const;

/** A stage that looks at videos. */
export type ViewStage = (typeof VIEW_STAGES)[number];

/** The clips that a stage wants of every video. */
export function viewPlan(recipe: TimeBalanceRecipe, stage: ViewStage): ViewPlan {
  const { clips, pretrain, similarity, evaluation } = recipe;
  const transform = { centreCrop: evaluation.centreCrop };
  switch (stage) {
    case 'pretrain-invariant':
      return pretextPlan(clips, pretrain.invariant.augment);
    case 'pretrain-distinctive':
      return pretextPlan(clips, pretrain.distinctive.augment);
    case 'pretrain-student':
      return pretextPlan(clips, pretrain.student.augment);
    case 'supervised':
    case 'teacher':
    case 'student':
      return trainPlan(clips, recipe[stage].augment);
    case 'similarity':
      return similarityPlan(clips, { ...similarity, transform });
    case 'evaluation':
      return testPlan(clips, { clips: evaluation.clips, transforms: [transform] });
  }
}
