import type { ClipReader } from '../../data/clip-reader.js';
import type { ClipWorkers } from '../../data/clip-workers.js';
import { ClipLoader } from '../../data/loader.js';
import type { ManifestEntry } from '../../data/manifest.js';
import { trainPlan, type ViewPlan } from '../../data/views.js';
import type { LabelledSettings, TimeBalanceRecipe } from '../../recipes/timebalance.js';
import type { Progress } from '../../training/progress.js';
import type { StageFolder } from '../../training/stage-folder.js';
import type { TrainStageOptions } from '../../training/train-stage.js';
import type { PretextModel } from './pretext-model.js';
import type { PretrainingStage } from './stages.js';
import type { Training } from './training.js';

/** What the pipeline works with. */
export interface TimeBalanceRun {
  recipe: TimeBalanceRecipe;
  classes: readonly string[];
  /** The training videos of each label draw; the draws differ in which labels are known. */
  draws: readonly (readonly ManifestEntry[])[];
  reader: ClipReader;
  /** Threads that make batches ahead; null for none. */
  workers: ClipWorkers | null;
  stage: (name: string) => StageFolder;
  progress: Progress;
  /** How much work a kill may cost, in seconds. Default 60. */
  saveEverySeconds?: number;
  signal?: AbortSignal;
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

/** Clips of the videos that have a label, for training. */
export function labelledLoader(
  run: TimeBalanceRun,
  entries: readonly ManifestEntry[],
  settings: Pick<LabelledSettings, 'augment' | 'batch'>,
  plan: ViewPlan = trainPlan(run.recipe.clips, settings.augment),
): ClipLoader {
  const labelled = entries.filter(({ label }) => label !== null);
  return newLoader(run, labelled, plan, { batchSize: settings.batch });
}

/** Clips of the videos whose label is not known, for training; null without such videos. */
export function unlabelledLoader(
  run: TimeBalanceRun,
  entries: readonly ManifestEntry[],
  plan: ViewPlan,
  batchSize: number,
): ClipLoader | null {
  const unlabelled = entries.filter(({ label }) => label === null);
  return unlabelled.length === 0 ? null : newLoader(run, unlabelled, plan, { batchSize });
}

/** @param options.seed default: the recipe's */
export function newLoader(
  { recipe, classes, reader, workers }: TimeBalanceRun,
  entries: readonly ManifestEntry[],
  plan: ViewPlan,
  { batchSize, seed = recipe.seed }: { batchSize: number; seed?: number },
): ClipLoader {
  return new ClipLoader({ entries, classes, reader, plan, size: recipe.inputSize, batchSize, seed, workers });
}

/** What a method decides about a training, together with what the run does. */
export function inRun<Batch>(run: TimeBalanceRun, title: string, training: Training<Batch>): TrainStageOptions<Batch> {
  const { progress, signal, saveEverySeconds } = run;
  return { title, progress, signal, saveEverySeconds, ...training };
}
