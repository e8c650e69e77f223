import type { nn } from '@chronotope/torch';
import type { SkippedSample } from '../data/damaged-videos.js';
import { loadModel, saveModel } from './checkpoint.js';
import { type FitOptions, fit, type MetricsLine } from './fit.js';
import type { Progress } from './progress.js';
import { SkipLog } from './skip-log.js';
import type { StageFolder } from './stage-folder.js';
import { loadTrainingState, removeTrainingState, saveTrainingState } from './training-state.js';

/** A loader as a stage sees it. */
export interface StageLoader {
  takeSkipped(): SkippedSample[];
  /** Waits until the batch of a step is ready; `end` is the first step that is not wanted. */
  prepare?(step: number, end: number): Promise<void>;
}

/** Settings of {@link trainStage}. */
export interface TrainStageOptions<Batch> extends Omit<FitOptions<Batch>, 'onMetrics' | 'onStep' | 'ready' | 'resume'> {
  /** Where the batches come from. Default: nothing that skips or prepares. */
  loaders?: readonly StageLoader[];
  /** What the stage does, for people. */
  title: string;
  /** What is kept when the stage is done, if not the whole module: a part of it. */
  result?: nn.Module;
  progress: Progress;
  /** How much work a kill may cost, in seconds. Default 60. */
  saveEverySeconds?: number;
}

/**
 * Trains a module as one stage of a run, loads it when the stage was finished before, or goes on where an interrupted
 * attempt saved its state: every `saveEverySeconds`, and on Ctrl-C.
 *
 * @param makeOptions called only if there is something to train
 */
export async function trainStage<Batch>(
  stage: StageFolder,
  module: nn.Module,
  makeOptions: () => TrainStageOptions<Batch>,
): Promise<void> {
  if (stage.isDone) {
    loadModel(stage, module);
    return;
  }
  module.train();
  const options = makeOptions();
  const { saveEverySeconds = 60 } = options;
  const trained = { module, optimizer: options.optimizer };
  const resume = loadTrainingState(stage.stateFile, trained);
  if (resume) stage.rewindLog(resume.step);
  else stage.begin();

  const started = performance.now();
  let saved = started;
  const task = options.progress.begin(options.title, options.steps, 'steps');
  const { loaders = [], steps } = options;
  const skips = new SkipLog(stage, { ...options, loaders });
  let last: MetricsLine | undefined;
  await fit({
    ...options,
    ready: (step) => Promise.all(loaders.map((loader) => loader.prepare?.(step, steps))),
    batch: (step) => {
      const batch = options.batch(step);
      skips.take(step);
      return batch;
    },
    resume: resume ?? undefined,
    onMetrics: (line) => {
      stage.log(line);
      last = line;
      task.update(line.step, describe(line));
    },
    onStep: (state, stopping) => {
      if (!stopping && performance.now() - saved < 1000 * saveEverySeconds) return;
      saveTrainingState(stage.stateFile, trained, state);
      saved = performance.now();
    },
  });
  saveModel(stage, options.result ?? module);
  stage.finish({
    steps: options.steps,
    seconds: (performance.now() - started) / 1000,
    metrics: last?.metrics ?? {},
    damaged: skips.videos(),
  });
  removeTrainingState(stage.stateFile);
  options.optimizer.dispose();
  task.end(last && describe(last));
}

function describe(line: MetricsLine): string {
  const metrics = Object.entries(line.metrics).map(([name, value]) => `${name} ${value.toPrecision(3)}`);
  return [...metrics, `data ${Math.round(100 * line.dataShare)}% of the time`].join('  ');
}
