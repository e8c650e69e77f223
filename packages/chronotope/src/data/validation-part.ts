import { ChronotopeError } from '../errors.js';
import { groupBy } from './group-by.js';
import { drawLabels } from './label-split.js';
import type { ManifestEntry } from './manifest.js';

/**
 * Chooses labelled training videos of each class to measure on while others are trained on: a share of them, and at least
 * one, drawn at random.
 *
 * @param entries the training videos; those without a label are never chosen
 * @param options.share of the labelled videos, above 0 and below 1
 * @param options.draw number of the label draw, as for {@link drawLabels}
 * @throws ChronotopeError `too-few-labels` for a class that would be left without a labelled video
 */
export function drawValidation(
  entries: readonly ManifestEntry[],
  { share, seed, draw }: { share: number; seed: number; draw: number },
): ManifestEntry[] {
  const labelled = entries.filter(({ label }) => label !== null);
  for (const [name, videos] of groupBy(labelled, ({ label }) => label!)) {
    if (videos.length > Math.max(1, Math.round(share * videos.length))) continue;
    throw new ChronotopeError('too-few-labels', `class "${name}" has too few labelled videos to set some aside`, {
      hint: 'Give the data a validation part, a smaller training.validation.share, or more labels; or do not validate.',
      details: { class: name, available: videos.length, share },
    });
  }
  return drawLabels(labelled, { percent: 100 * share, seed, draw }).filter(({ label }) => label !== null);
}
