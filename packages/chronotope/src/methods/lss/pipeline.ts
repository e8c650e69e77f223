import { manualSeed, type nn, scope } from '@chronotope/torch';
import { ClipLoader } from '../../data/loader.js';
import type { ConceptSpace } from '../../language/concept-space.js';
import type { LssRecipe } from '../../recipes/lss.js';
import { saveModel } from '../../training/checkpoint.js';
import type { MetricsLine } from '../../training/fit.js';
import { firstDoes, shard } from '../../training/processes.js';
import { partOfBatch } from '../../training/settings.js';
import type { StageFolder } from '../../training/stage-folder.js';
import { trainStage } from '../../training/train-stage.js';
import type { RepresentationRun } from '../method-run.js';
import { collapseIn } from './collapse.js';
import { conceptSpacesOf } from './concept-spaces.js';
import { embeddingSize, newNetwork, startNetwork } from './networks.js';
import { SelfDistillation } from './self-distillation.js';
import { distillationTraining } from './training.js';
import { trainingPlan } from './views.js';

/** What a run leaves: the network it began with, the student, and the teacher, which is the result. */
export const NETWORK_STAGES = ['start', 'student', 'teacher'] as const;
export type NetworkStage = (typeof NETWORK_STAGES)[number];

/** The stage that trains student and teacher together, with all that the losses remember. */
export const SELF_DISTILLATION = 'self-distillation';

/** What each network is, for people. */
export const STAGE_TITLES: Record<NetworkStage, string> = {
  start: 'before training',
  student: 'student',
  teacher: 'teacher, the average of the student',
};

/** What the pipeline works with. */
export interface LssRun extends Omit<RepresentationRun<LssRecipe>, 'classes'> {
  /** Embeddings of texts; null for concepts without meaning. */
  concepts: ConceptSpace | null;
}

/**
 * LSS, or SVT with the head `dino`: self-distillation of one network into another from unlabelled videos. The whole state
 * is the stage `self-distillation`; the networks of {@link NETWORK_STAGES} and the concept spaces are stages of their own.
 *
 * @throws ChronotopeError `concepts-differ`; those of {@link trainStage} and {@link ClipLoader}
 */
export async function runLss(run: LssRun): Promise<void> {
  const { recipe } = run;
  const model = newSelfDistillation(recipe, run.concepts).to({ device: run.device });
  try {
    await keepModule(run.stage('start'), model.student);
    if (model.spaces) await keepModule(run.stage('concepts'), model.spaces, { names: run.concepts?.names ?? null });
    const stage = run.stage(SELF_DISTILLATION);
    await trainStage(stage, model, () => {
      const { reader, workers, device, progress, signal, saveEverySeconds } = run;
      const loader = new ClipLoader({
        // Nothing is learnt from labels.
        ...{ entries: run.videos.map((video) => ({ ...video, label: null })), classes: [] },
        ...{ reader, workers, device, plan: trainingPlan(recipe) },
        ...{ size: recipe.inputSize, batchSize: partOfBatch(recipe.train.batch, recipe.training) },
        ...{ seed: recipe.seed, shard: shard() },
      });
      const title = recipe.head.kind === 'dino' ? 'self-distillation' : 'distillation of concepts';
      const training = distillationTraining(model, loader, recipe);
      return { title, progress, signal, saveEverySeconds, settings: recipe.training, hparams: recipe, ...training };
    });
    const last = stage.metrics().at(-1);
    const collapse = collapseOf(model, recipe, last);
    for (const warning of collapse) run.progress.note(`  collapse: ${warning}`);
    await keepModule(run.stage('student'), model.student);
    await keepModule(run.stage('teacher'), model.teacher, { collapse });
  } finally {
    model.dispose();
  }
}

/**
 * Student and teacher with the same start weights, and the concept spaces of the recipe.
 *
 * @throws ChronotopeError `concepts-differ` for concepts of another size than the network's embeddings
 */
export function newSelfDistillation(recipe: LssRecipe, concepts: ConceptSpace | null): SelfDistillation {
  const student = startNetwork(recipe);
  const teacher = newNetwork(recipe);
  scope(() => void teacher.loadStateDict(student.stateDict()));
  const spaces = recipe.head.kind === 'text' ? conceptSpacesOf(recipe, concepts, embeddingSize(recipe)) : null;
  // What the network draws in training must not depend on how it was made.
  manualSeed(recipe.seed);
  return new SelfDistillation(student, teacher, spaces, { teacherDropPath: recipe.teacher.dropPath });
}

/** What the last metrics of a run say about collapse. */
export function collapseOf(
  { spaces, center }: Pick<SelfDistillation, 'spaces' | 'center'>,
  { train }: Pick<LssRecipe, 'train'>,
  last: Pick<MetricsLine, 'metrics'> | undefined,
): string[] {
  if (last === undefined) return [];
  const outputs: [name: string, count: number | undefined][] = [
    ['category', spaces?.category.axes.shape[0]],
    ['description', spaces?.description?.axes.shape[0]],
    ['output', center?.shape[0]],
  ];
  return outputs.flatMap(([name, count]) => {
    const sign = (kind: string) => last.metrics[`${name}${kind}`];
    const signs = { entropy: sign('Entropy'), information: sign('Information'), used: sign('Used') };
    if (count === undefined || signs.entropy === undefined) return [];
    const found = collapseIn(signs as Record<keyof typeof signs, number>, { outputs: count, videos: train.batch });
    return found === null ? [] : [`${name}: ${found}`];
  });
}

/** Writes a module as a stage of its own, unless it is there. */
async function keepModule(stage: StageFolder, module: nn.Module, result: Record<string, unknown> = {}): Promise<void> {
  await firstDoes(() => {
    if (stage.isDone) return;
    stage.begin();
    saveModel(stage, module);
    stage.finish(result);
  });
}
