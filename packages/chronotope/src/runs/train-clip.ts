import { createHash } from 'node:crypto';
import type { ManifestEntry } from '../data/manifest.js';
import { runClip } from '../methods/clip/pipeline.js';
import type { ClipRecipe } from '../recipes/clip.js';
import type { RunOrigin } from './run-folder.js';
import type { StartOptions } from './start-run.js';
import { trainRepresentation } from './train-representation.js';

/**
 * Trains a CLIP on the frames and captions of a data set.
 *
 * @throws ChronotopeError those of `trainRepresentation`; `no-captions`, `weights-differ`
 */
export function trainClip(options: StartOptions & { recipe: ClipRecipe }): Promise<void> {
  return trainRepresentation({ ...options, origin: captionsOf }, runClip);
}

/** A run learns from its captions: with others it is another run. */
function captionsOf(training: readonly ManifestEntry[]): RunOrigin {
  const captions = training.map(({ id, text }) => [id, text]);
  return { what: 'captions', hash: createHash('sha256').update(JSON.stringify(captions)).digest('hex') };
}
