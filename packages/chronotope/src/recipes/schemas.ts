import type { z } from 'zod';
import { cclRecipe } from './ccl.js';
import { clipRecipe } from './clip.js';
import { framesRecipe } from './frames.js';
import { lssRecipe } from './lss.js';
import { timebalanceRecipe } from './timebalance.js';
import { type TrackerRecipe, trackerRecipe } from './tracker.js';

/**
 * The schema of each method's recipes. All have `method` and `seed`; those of methods that learn from videos also have
 * `frames`, `inputSize` and `evaluation.clips`.
 */
export const RECIPE_SCHEMAS = {
  timebalance: timebalanceRecipe,
  ccl: cclRecipe,
  frames: framesRecipe,
  clip: clipRecipe,
  lss: lssRecipe,
  tracker: trackerRecipe,
} as const;

/** What can be learnt. */
export type MethodName = keyof typeof RECIPE_SCHEMAS;

/** Every setting of a run of a method. */
export type RecipeOf<M extends MethodName> = z.infer<(typeof RECIPE_SCHEMAS)[M]>;

/** A recipe of any method; `method` says which. */
export type Recipe = RecipeOf<MethodName>;

/** A recipe of a method that learns from videos. */
export type VideoRecipe = Exclude<Recipe, TrackerRecipe>;

export const METHOD_NAMES = Object.keys(RECIPE_SCHEMAS) as MethodName[];
