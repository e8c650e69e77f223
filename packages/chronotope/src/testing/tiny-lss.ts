import { loadRecipeOf } from '../recipes/load.js';
import type { LssRecipe } from '../recipes/lss.js';

/** LSS of a size with which a step takes milliseconds. */
export function tinyLss(overrides: readonly string[] = []): LssRecipe {
  return loadRecipeOf('lss', 'lss-tiny', [...TINY, 'model.embedding=8', 'concepts.categories=5', ...overrides]);
}

/** SVT of the same size. */
export function tinySvt(overrides: readonly string[] = []): LssRecipe {
  return loadRecipeOf('lss', 'svt-tiny', [
    ...TINY,
    'head.outputs=32',
    'head.hidden=16',
    'head.bottleneck=8',
    ...overrides,
  ]);
}

const TINY = [
  'frames.shortSide=16',
  'inputSize=16',
  'clips.frames=2',
  'clips.segmentFrames=16',
  'clips.localViews=2',
  'clips.localSize=8',
  'model.patch=4',
  'model.width=12',
  'model.depth=2',
  'model.heads=2',
  'train.batch=4',
  'train.epochs=2',
];
