import type { SkippedSample } from '../data/damaged-videos.js';
import { groupBy } from '../data/group-by.js';
import type { Progress } from './progress.js';
import type { StageFolder } from './stage-folder.js';

export interface SkipLogOptions {
  /** Where the batches come from. Default: nothing that skips. */
  loaders?: readonly { takeSkipped(): SkippedSample[] }[];
  title: string;
  progress: Progress;
}

/** Writes down which samples the loaders of a stage skip, and tells people about each damaged video once. */
export class SkipLog {
  readonly #stage: StageFolder;
  readonly #options: SkipLogOptions;
  readonly #told = new Set<string>();

  constructor(stage: StageFolder, options: SkipLogOptions) {
    this.#stage = stage;
    this.#options = options;
  }

  /** After the batch of a step, counted from 0, was made. */
  take(step: number): void {
    const { loaders = [], progress, title } = this.#options;
    const skipped = loaders.flatMap((loader) => loader.takeSkipped());
    if (skipped.length === 0) return;
    this.#stage.logSkipped(skipped.map((sample) => ({ step: step + 1, ...sample })));
    for (const { id, reason } of skipped) {
      if (!this.#told.has(id)) progress.note(`  ${title}: other videos stand in for ${id}: ${reason}`);
      this.#told.add(id);
    }
  }

  /** The damaged videos of the stage, and how many samples others had to stand in for. */
  videos(): { id: string; reason: string; samples: number }[] {
    const byId = groupBy(this.#stage.skipped(), ({ id }) => id);
    return [...byId].map(([id, samples]) => ({ id, reason: samples[0]!.reason, samples: samples.length }));
  }
}
