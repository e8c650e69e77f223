import { runClip } from '../methods/clip/pipeline.js';
import type { ClipRecipe } from '../recipes/clip.js';
import type { StartOptions } from './start-run.js';
import { trainRepresentation } from './train-representation.js';

/**
 * Trains a CLIP on the frames and captions of a data set.
 *
 * @throws ChronotopeError those of `trainRepresentation`; `no-captions`, `weights-differ`
 */
export function trainClip(options: StartOptions & { recipe: ClipRecipe }): Promise<void> {
  return trainRepresentation(options, runClip);
}
