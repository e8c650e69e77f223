import { ClipLoader } from '../../data/loader.js';
import type { ManifestEntry } from '../../data/manifest.js';
import type { Shard } from '../../data/sampler.js';
import { trainPlan, type ViewPlan } from '../../data/views.js';
import type { Classifier } from '../../models/classifier.js';
import type { LabelledSettings, TimeBalanceRecipe } from '../../recipes/timebalance.js';
import type { EpochLossState } from '../../training/epoch-loss-rate.js';
import { shard } from '../../training/processes.js';
import { namedSchedule, type ScheduleSettings } from '../../training/schedule.js';
import { partOfBatch, type TrainingSettings } from '../../training/settings.js';
import type { TrainStageOptions } from '../../training/train-stage.js';
import type { Validation } from '../../training/validation.js';
import { classifierValidation } from '../classifier-validation.js';
import type { MethodRun } from '../method-run.js';
import type { TestSource, TestViews } from '../trained-method.js';
import type { PretextModel } from './pretext-model.js';
import { isPublished, publishedRate } from './published-rates.js';
import type { PretrainingStage } from './stages.js';
import type { Training } from './training.js';
import { evaluationPlan } from './view-plans.js';

/** What the pipeline works with. */
export interface TimeBalanceRun extends MethodRun<TimeBalanceRecipe> {
  /** The training videos of each label draw; the draws differ in which labels are known. */
  draws: readonly (readonly ManifestEntry[])[];
  /** For each draw the labelled videos that its classifiers are measured on and not trained on. Default: none. */
  validation?: readonly (readonly ManifestEntry[])[];
}

/** The networks that were pre-trained without labels, by stage. */
export type Pretrained = ReadonlyMap<PretrainingStage, PretextModel>;

/** The pre-trained network that a recipe says to start from; nothing for a start from scratch. */
export function startingNetwork(
  pretrained: Pretrained,
  start: TimeBalanceRecipe['student']['start'],
): PretextModel | undefined {
  return start === 'scratch' ? undefined : pretrained.get(`pretrain-${start}`);
}

/**
 * Says before a run starts whether the batches of its steps have the parts that the settings and the processes ask for.
 *
 * @throws ChronotopeError `batch-not-divisible`
 */
export function checkBatches({ training, pretrain, supervised, teacher, student }: TimeBalanceRecipe): void {
  for (const { batch } of [...Object.values(pretrain), supervised, teacher, student]) partOfBatch(batch, training);
  partOfBatch(student.unlabelledBatch, training);
}

/** The videos that the classifiers of a draw are trained on. */
export function videosOf({ draws, validation = [] }: TimeBalanceRun, draw: number): ManifestEntry[] {
  const setAside = new Set(validation[draw]?.map(({ id }) => id));
  return draws[draw]!.filter(({ id }) => !setAside.has(id));
}

/** What can be measured of a classifier of a draw while it learns; nothing without validation videos. */
export function validationOf(run: TimeBalanceRun, draw: number, model: Classifier): Validation | undefined {
  const { recipe, classes, reader, device } = run;
  const entries = run.validation?.[draw] ?? [];
  if (entries.length === 0) return undefined;
  const source = { entries, classes, reader, device };
  return classifierValidation(model, testLoader(recipe, source), source);
}

/** A loader of test clips, for stage E and for prediction. */
export function testLoader(recipe: TimeBalanceRecipe, source: TestSource, views: TestViews = {}): ClipLoader {
  const plan = evaluationPlan(recipe, views);
  return new ClipLoader({ ...source, plan, size: recipe.inputSize, batchSize: 16, seed: recipe.seed, shuffle: false });
}

/** Clips of the videos that have a label, for training. */
export function labelledLoader(
  run: TimeBalanceRun,
  entries: readonly ManifestEntry[],
  settings: Pick<LabelledSettings, 'augment' | 'balanced' | 'batch'>,
  plan: ViewPlan = trainPlan(run.recipe.clips, settings.augment),
): ClipLoader {
  const labelled = entries.filter(({ label }) => label !== null);
  return trainingLoader(run, labelled, plan, { batchSize: settings.batch, balanced: settings.balanced });
}

/** Clips of the videos whose label is not known, for training; null without such videos. */
export function unlabelledLoader(
  run: TimeBalanceRun,
  entries: readonly ManifestEntry[],
  plan: ViewPlan,
  batchSize: number,
): ClipLoader | null {
  const unlabelled = entries.filter(({ label }) => label === null);
  return unlabelled.length === 0 ? null : trainingLoader(run, unlabelled, plan, { batchSize });
}

/**
 * Clips for training: this process's share of every batch, in the parts in which a step accumulates it.
 *
 * @param options.seed default: the recipe's
 * @param options.balanced every class equally often. Default false
 * @throws ChronotopeError `batch-not-divisible`
 */
export function trainingLoader(
  run: TimeBalanceRun,
  entries: readonly ManifestEntry[],
  plan: ViewPlan,
  { batchSize, ...choice }: { batchSize: number; seed?: number; balanced?: boolean },
): ClipLoader {
  const part = partOfBatch(batchSize, run.recipe.training);
  return newLoader(run, entries, plan, { ...choice, batchSize: part, shard: shard() });
}

/** @param options.seed default: the recipe's */
export function newLoader(
  { recipe, classes, reader, workers, device }: TimeBalanceRun,
  entries: readonly ManifestEntry[],
  plan: ViewPlan,
  { seed = recipe.seed, ...choice }: { batchSize: number; seed?: number; balanced?: boolean; shard?: Shard },
): ClipLoader {
  const size = recipe.inputSize;
  return new ClipLoader({ entries, classes, reader, plan, size, seed, workers, device, ...choice });
}

/** What a method decides about a training, together with what the run does. */
export function inRun<Batch>(
  run: TimeBalanceRun,
  title: string,
  { warmupSteps, stepsPerEpoch, learnsFrom, ...training }: Training<Batch>,
  validation?: Validation,
): TrainStageOptions<Batch> {
  const { progress, signal, saveEverySeconds, recipe } = run;
  const { name } = recipe.training.schedule;
  const rates = isPublished(name)
    ? {
        settings: withSchedule(recipe.training, 'constant'),
        schedule: () => 1,
        adaptiveRate: (state?: unknown) =>
          publishedRate(name, { learnsFrom, stepsPerEpoch }, state as EpochLossState | undefined),
      }
    : {
        settings: withSchedule(recipe.training, name),
        schedule: namedSchedule({ ...recipe.training.schedule, name }, { steps: training.steps, warmupSteps }),
      };
  return { title, progress, signal, saveEverySeconds, hparams: recipe, ...rates, validation, ...training };
}

function withSchedule(training: TimeBalanceRecipe['training'], name: ScheduleSettings['name']): TrainingSettings {
  return { ...training, schedule: { ...training.schedule, name } };
}
