import type { nn } from '@chronotope/torch';
import type { SkippedSample } from '../data/damaged-videos.js';
import { ChronotopeError } from '../errors.js';
import { loadModel } from './checkpoint.js';
import { type FitOptions, fit, type MetricsLine } from './fit.js';
import type { Progress } from './progress.js';
import { PLAIN_TRAINING, type TrainingSettings } from './settings.js';
import { SkipLog } from './skip-log.js';
import type { StageFolder } from './stage-folder.js';
import { StageProgress } from './stage-progress.js';
import { StageWeights } from './stage-weights.js';
import { StageEvents } from './tensorboard/stage-events.js';
import { loadTrainingState, removeTrainingState, saveTrainingState } from './training-state.js';
import { measureUndisturbed, type Validation } from './validation.js';
import { WeightAverage } from './weight-average.js';

/** A loader as a stage sees it. */
export interface StageLoader {
  takeSkipped(): SkippedSample[];
  /** Waits until a batch is ready; `end` is the first one that is not wanted. */
  prepare?(index: number, end: number): Promise<void>;
}

/** What of {@link FitOptions} the trainer decides by itself, from the settings. */
type DecidedHere =
  | ('onMetrics' | 'onStep' | 'ready' | 'resume' | 'validation')
  | ('accumulate' | 'amp' | 'clipGradients' | 'plateau' | 'withoutExchange');

/** Settings of {@link trainStage}. */
export interface TrainStageOptions<Batch> extends Omit<FitOptions<Batch>, DecidedHere> {
  /** Where the batches come from. Default: nothing that skips or prepares. */
  loaders?: readonly StageLoader[];
  /** What the stage does, for people. */
  title: string;
  progress: Progress;
  /** How it is trained, whatever is learnt. Default: {@link PLAIN_TRAINING}. */
  settings?: TrainingSettings;
  /** What can be measured while it is trained; the settings say how often. */
  validation?: Validation;
  /** How much work a kill may cost, in seconds. Default 60. */
  saveEverySeconds?: number;
}

/**
 * Trains a module as one stage of a run, loads it when the stage was finished before, or goes on where an interrupted
 * attempt saved its state: every `saveEverySeconds`, and on Ctrl-C.
 *
 * @param makeOptions called only if there is something to train
 * @throws ChronotopeError as {@link fit} does; for a loss that is not a number it names the file with the samples
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
  const { optimizer, loaders = [], settings = PLAIN_TRAINING, saveEverySeconds = 60 } = options;
  const { ema, validation } = settings;
  const average = ema.decay === null ? undefined : new WeightAverage(module, ema.decay);
  const trained = { module, optimizer, average };
  const resume = loadTrainingState(stage.stateFile, trained) ?? undefined;
  if (resume) stage.rewindLog(resume.step);
  else stage.begin();

  const started = performance.now();
  let saved = started;
  const progress = new StageProgress(options.progress, options.title, options.steps);
  const events = settings.tensorboard ? new StageEvents(stage, resume?.step ?? 0) : undefined;
  const skips = new SkipLog(stage, options);
  const weights = new StageWeights(stage, module, average, settings);
  const measurement = validation.every === null ? undefined : options.validation;
  let last: MetricsLine | undefined;
  const { steps, best } = await fit({
    ...options,
    ...fitSettings(settings),
    ready: (index) =>
      Promise.all(loaders.map((loader) => loader.prepare?.(index, options.steps * settings.accumulate))),
    batch: (index) => {
      const batch = options.batch(index);
      skips.take(Math.floor(index / settings.accumulate));
      return batch;
    },
    afterStep: (step) => {
      average?.take(step);
      events?.weights(step + 1, options.steps, module);
      options.afterStep?.(step);
    },
    validation: measurement && {
      ...measurement,
      every: validation.every!,
      patience: validation.patience ?? undefined,
      measure: () => measureUndisturbed(module, weights.averageInPlace, measurement.measure),
      onBest: (best) => weights.saveBest(best),
    },
    resume,
    onMetrics: (line) => {
      stage.log(line);
      events?.line(line);
      last = line;
      progress.line(line);
    },
    onStep: (state, stopping) => {
      progress.step(state.step);
      if (!stopping && performance.now() - saved < 1000 * saveEverySeconds) return;
      saveTrainingState(stage.stateFile, trained, state);
      weights.forgetOtherBest(state.best?.step);
      saved = performance.now();
    },
  }).catch((error: unknown) => {
    throw withSamplesFile(error, stage);
  });
  weights.finish(best);
  stage.finish({
    steps,
    seconds: (performance.now() - started) / 1000,
    metrics: last?.metrics ?? {},
    ...(best && { best: { step: best.step, [measurement!.metric]: best.value } }),
    damaged: skips.videos(),
  });
  weights.forgetOtherBest();
  removeTrainingState(stage.stateFile);
  optimizer.dispose();
  average?.dispose();
  progress.end(steps < options.steps ? `stopped early at step ${steps}` : undefined);
}

function fitSettings({ amp, accumulate, clipGradients, schedule }: TrainingSettings) {
  return {
    amp: amp === 'off' ? undefined : amp,
    accumulate,
    clipGradients: clipGradients ?? undefined,
    plateau: schedule.name === 'plateau' ? schedule : undefined,
  };
}

/** Keeps the samples of a step that failed in a file, which the hint names. */
function withSamplesFile(error: unknown, stage: StageFolder): unknown {
  if (!(error instanceof ChronotopeError)) return error;
  if (error.code !== 'loss-not-finite' && error.code !== 'gradients-not-finite') return error;
  const file = stage.logFailure({ problem: error.message, ...error.details });
  return new ChronotopeError(error.code, error.message, {
    hint: `Lower the learning rate of this stage, or look at the videos named in ${file}.`,
    details: { ...error.details, file },
    cause: error,
  });
}
