import type { ClipLoader } from '../data/loader.js';
import type { ManifestEntry } from '../data/manifest.js';
import { predictVideos } from '../evaluation/predict-videos.js';
import { accuracy } from '../evaluation/video-level.js';
import type { Classifier } from '../models/classifier.js';
import type { Validation } from '../training/validation.js';

/**
 * What can be measured of a classifier while it learns: the share of the loader's videos that it recognises.
 *
 * @param entries the videos of the loader, with their labels
 */
export function classifierValidation(
  model: Classifier,
  loader: ClipLoader,
  { entries, classes }: { entries: readonly ManifestEntry[]; classes: readonly string[] },
): Validation {
  const truth = new Map(entries.map(({ id, label }) => [id, classes.indexOf(label!)]));
  return {
    measure: () => ({ top1: accuracy(predictVideos(model, loader), truth, classes).top1 }),
    metric: 'top1',
    better: 'higher',
  };
}
