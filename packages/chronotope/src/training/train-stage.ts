import { getNumThreads, type nn, setNumThreads } from '@chronotope/torch';
import type { SkippedSample } from '../data/damaged-videos.js';
import { ChronotopeError } from '../errors.js';
import type { Better } from './best.js';
import { loadModel } from './checkpoint.js';
import { parallelLoss, separateRandomNumbers } from './data-parallel.js';
import { type FitOptions, fit } from './fit.js';
import { anywhere, firstDecides, firstDoes, heard, isFirst } from './processes.js';
import type { Progress } from './progress.js';
import { Plateau, type PlateauState } from './schedule.js';
import { PLAIN_TRAINING, type TrainingSettings } from './settings.js';
import { SkipLog } from './skip-log.js';
import type { StageFolder } from './stage-folder.js';
import { StageLog } from './stage-log.js';
import { StageWeights } from './stage-weights.js';
import type { ShownClips } from './tensorboard/shown-clips.js';
import { loadTrainingState, removeTrainingState, saveTrainingState } from './training-state.js';
import { tuneConvolutions } from './tuned-convolutions.js';
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
  | ('onMetrics' | 'onStep' | 'ready' | 'resume' | 'settle' | 'validation')
  | ('accumulate' | 'amp' | 'clipGradients' | 'withoutExchange');

/** Settings of {@link trainStage}. */
export interface TrainStageOptions<Batch> extends Omit<FitOptions<Batch>, DecidedHere> {
  /** Where the batches come from. Default: nothing that skips or prepares. */
  loaders?: readonly StageLoader[];
  /** What the stage does, for people. */
  title: string;
  /** What is kept when the stage is done, if not the whole module: a part of it. */
  result?: nn.Module;
  progress: Progress;
  /** How it is trained, whatever is learnt. Default: {@link PLAIN_TRAINING}. */
  settings?: TrainingSettings;
  /** What can be measured while it is trained; the settings say how often. */
  validation?: Validation;
  /** What of a batch can be looked at, for TensorBoard. Default: nothing. */
  clips?: (batch: Batch) => ShownClips;
  /** The settings that TensorBoard shows beside the results of the stage, such as the recipe. Default: none. */
  hparams?: object;
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
  if (await firstDecides(() => stage.isDone)) {
    loadModel(stage, module);
    return;
  }
  module.train();
  const options = makeOptions();
  const { title, progress, loaders = [], optimizer, steps, settings = PLAIN_TRAINING, saveEverySeconds = 60 } = options;
  const { clips = () => ({}), hparams } = options;
  const { accumulate, tensorboard } = settings;
  const average = settings.ema.decay === null ? undefined : new WeightAverage(module, settings.ema.decay);
  const trained = { module, optimizer, average };
  const resume = loadTrainingState(stage.stateFile, trained) ?? undefined;
  if (!resume) separateRandomNumbers();
  await firstDoes(() => (resume ? stage.rewindLog(resume.step) : stage.begin()));

  const started = performance.now();
  let saved = started;
  const log = new StageLog(stage, { title, progress, steps, tensorboard, hparams, resumeStep: resume?.step ?? 0 });
  const skips = new SkipLog(stage, { title, progress: heard(progress), loaders });
  const kept = options.result ?? module;
  const weights = new StageWeights(stage, kept, average, settings);
  const parallel = parallelLoss(module, options.loss, settings);
  const measurement = options.validation && measured(options.validation, settings);
  const allThreads = getNumThreads();
  if (settings.threads !== null) setNumThreads(settings.threads);
  const endTuning = settings.convolutions === 'tuned' ? tuneConvolutions(stage, heard(progress)) : undefined;
  const result = await fit({
    ...options,
    ...fitSettings(settings),
    adaptiveRate: options.adaptiveRate ?? plateauOf(settings, measurement?.better),
    loss: parallel.loss,
    withoutExchange: parallel.withoutExchange,
    ready: (index) => Promise.all(loaders.map((loader) => loader.prepare?.(index, steps * accumulate))),
    batch: (index) => {
      const batch = options.batch(index);
      const step = Math.floor(index / accumulate);
      skips.take(step);
      if (index % accumulate === 0) log.batch(step + 1, () => clips(batch));
      return batch;
    },
    afterStep: (step) => {
      average?.take(step);
      options.afterStep?.(step);
      weights.step(step + 1);
      log.step(step + 1, module);
    },
    settle: () => log.settle(),
    validation: measurement && {
      ...measurement,
      measure: () => measureUndisturbed(module, weights.averageInPlace, measurement.measure),
      onBest: (best) => weights.saveBest(best),
    },
    resume,
    onMetrics: (line) => log.line(line),
    onStep: (state, stopping) => {
      const due = anywhere(performance.now() - saved >= 1000 * saveEverySeconds);
      if (!stopping && !due) return;
      saveTrainingState(stage.stateFile, trained, state);
      weights.forgetOtherBest(state.best?.step);
      saved = performance.now();
    },
  })
    .catch((error: unknown) => {
      throw withSamplesFile(error, stage);
    })
    .finally(() => {
      parallel.end();
      endTuning?.();
      setNumThreads(allThreads);
    });
  optimizer.dispose();

  const metrics = log.end(result.steps);
  await firstDoes(() => {
    weights.finish(result.best);
    stage.finish({
      steps: result.steps,
      seconds: (performance.now() - started) / 1000,
      metrics,
      best: result.best && { step: result.best.step, [measurement!.metric]: result.best.value },
      damaged: skips.videos(),
    });
    weights.forgetOtherBest();
    removeTrainingState(stage.stateFile);
  });
  if (!isFirst()) loadModel(stage, kept);
  average?.dispose();
}

function fitSettings({ amp, accumulate, clipGradients }: TrainingSettings) {
  return {
    amp: amp === 'off' ? undefined : amp,
    accumulate,
    clipGradients: clipGradients ?? undefined,
  };
}

/** The factor of the schedule that goes by measurements, if the settings name it. */
function plateauOf({ schedule }: TrainingSettings, better: Better = 'lower') {
  if (schedule.name !== 'plateau') return undefined;
  return (state?: unknown) => new Plateau(schedule, better, state as PlateauState | undefined);
}

/** What a method can measure, as often as the settings say; undefined if they say never. */
function measured(possible: Validation, { validation: { every, patience } }: TrainingSettings) {
  return every === null ? undefined : { ...possible, every, patience: patience ?? undefined };
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
