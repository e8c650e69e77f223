import type { nn } from '@chronotope/torch';
import type { MetricsLine } from './metrics-window.js';
import { heard, isFirst } from './processes.js';
import type { Progress } from './progress.js';
import type { StageFolder } from './stage-folder.js';
import { StageProgress } from './stage-progress.js';
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
}

/** Where a stage writes and shows what it measures. Of several processes only the first one does. */
export class StageLog {
  readonly #stage: StageFolder;
  readonly #steps: number;
  readonly #progress: StageProgress;
  readonly #events: StageEvents | undefined;
  #last: MetricsLine | undefined;

  constructor(stage: StageFolder, { title, progress, steps, tensorboard, resumeStep }: StageLogOptions) {
    this.#stage = stage;
    this.#steps = steps;
    this.#progress = new StageProgress(heard(progress), title, steps);
    if (tensorboard && isFirst()) this.#events = new StageEvents(stage, resumeStep);
  }

  /** After a step, counted from 1. */
  step(step: number, module: nn.Module): void {
    this.#progress.step(step);
    this.#events?.weights(step, this.#steps, module);
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
    return this.#last?.metrics ?? {};
  }
}
