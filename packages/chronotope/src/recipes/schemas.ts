import type { z } from 'zod';
import { cclRecipe } from './ccl.js';
import { clipRecipe } from './clip.js';
import { framesRecipe } from './frames.js';
import { lssRecipe } from './lss.js';
import { timebalanceRecipe } from './timebalance.js';

/** The schema of each method's recipes. All have `method`, `seed`, `frames`, `inputSize` and `evaluation.clips`. */
export const RECIPE_SCHEMAS = {
  timebalance: timebalanceRecipe,
  ccl: cclRecipe,
  frames: framesRecipe,
  clip: clipRecipe,
  lss: lssRecipe,
} as const;

/** What can be learnt. */
export type MethodName = keyof typeof RECIPE_SCHEMAS;

/** Every setting of a run of a method. */
export type RecipeOf<M extends MethodName> = z.infer<(typeof RECIPE_SCHEMAS)[M]>;

/** A recipe of any method; `method` says which. */
export type Recipe = RecipeOf<MethodName>;

export const METHOD_NAMES = Object.keys(RECIPE_SCHEMAS) as MethodName[];
