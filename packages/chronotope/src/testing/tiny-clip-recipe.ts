import type { ClipRecipe } from '../recipes/clip.js';
import { loadRecipeOf } from '../recipes/load.js';

/** A CLIP for images of 16 pixels that trains in a moment; `more` are further settings. */
export function tinyClipRecipe(...more: readonly string[]): ClipRecipe {
  return loadRecipeOf('clip', 'clip-tiny', [
    'frames.shortSide=16',
    'inputSize=16',
    'model.embedding=8',
    ...['image', 'text'].flatMap((tower) => [
      `model.${tower}.width=16`,
      `model.${tower}.layers=1`,
      `model.${tower}.heads=2`,
    ]),
    'model.text.vocabulary=1000',
    'train.batch=4',
    'train.learningRate=0.01',
    'train.augment.jitter.probability=0',
    'evaluation.clips=2',
    ...more,
  ]);
}
