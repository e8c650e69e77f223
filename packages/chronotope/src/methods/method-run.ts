import type { Device } from '@chronotope/torch';
import type { ClipReader } from '../data/clip-reader.js';
import type { ClipWorkers } from '../data/clip-workers.js';
import type { ManifestEntry } from '../data/manifest.js';
import type { VideoRecipe } from '../recipes/schemas.js';
import type { Progress } from '../training/progress.js';
import type { StageFolder } from '../training/stage-folder.js';

/** What every method that learns from videos trains with. */
export interface MethodRun<R extends VideoRecipe> {
  recipe: R;
  classes: readonly string[];
  /** Where clips come from. */
  reader: ClipReader;
  /** Threads that make batches ahead, for the loaders of training; null for none. */
  workers: ClipWorkers | null;
  /** Where networks and batches live. */
  device: Device;
  stage: (name: string) => StageFolder;
  progress: Progress;
  /** How much work a kill may cost, in seconds. Default 60. */
  saveEverySeconds?: number;
  signal?: AbortSignal;
}

/** The same for a method that needs no labels. */
export interface RepresentationRun<R extends VideoRecipe> extends MethodRun<R> {
  /** The training videos; labels that the data happen to have are there, and not for learning. */
  videos: readonly ManifestEntry[];
}
