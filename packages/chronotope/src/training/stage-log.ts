import type { nn } from '@chronotope/torch';
import type { MetricsLine } from './metrics-window.js';
import { heard, isFirst } from './processes.js';
import type { Progress } from './progress.js';
import type { StageFolder } from './stage-folder.js';
import { StageProgress } from './stage-progress.js';
import type { ShownClips } from './tensorboard/shown-clips.js';
import { StageEvents } from './tensorboard/stage-events.js';

/** Settings of {@link StageLog}. */
export interface StageLogOptions {
  title: string;
  progress: Progress;
  /** Optimiser steps in all. */
  steps: number;
  /** Write the curves for TensorBoard too. */
  tensorboard: boolean;
  /** The step of the state from which an interrupted stage goes on, 0 at its start. */
  resumeStep: number;
  /** The settings, for TensorBoard's table of them. */
  hparams?: object;
}

/** Where a stage writes and shows what it measures. Of several processes only the first one does. */
export class StageLog {
  readonly #stage: StageFolder;
  readonly #steps: number;
  readonly #progress: StageProgress;
  readonly #events: StageEvents | undefined;
  #last: MetricsLine | undefined;

  constructor(stage: StageFolder, options: StageLogOptions) {
    const { title, progress, steps, tensorboard } = options;
    this.#stage = stage;
    this.#steps = steps;
    this.#progress = new StageProgress(heard(progress), title, steps);
    if (tensorboard && isFirst()) this.#events = new StageEvents(stage, options);
  }

  /** Before a step, counted from 1, with its first batch; `clips` is asked now and then. */
  batch(step: number, clips: () => ShownClips): void {
    this.#events?.clips(step, clips);
  }

  /** After a step, counted from 1, and before its {@link line}. */
  step(step: number, module: nn.Module): void {
    this.#progress.step(step);
    this.#events?.weights(step, module);
  }

  /** Waits until everything that belongs to the last step is written. */
  async settle(): Promise<void> {
    await this.#events?.settle();
  }

  line(line: MetricsLine): void {
    this.#last = line;
    if (isFirst()) this.#stage.log(line);
    this.#events?.line(line);
    this.#progress.line(line);
  }

  /** @returns the last metrics */
  end(steps: number): Record<string, number> {
    this.#progress.end(steps < this.#steps ? `stopped early at step ${steps}` : undefined);
    const { metrics = {}, validation = {} } = this.#last ?? {};
    this.#events?.end(steps, { ...metrics, ...validation });
    return metrics;
  }
}
