import { manualSeed, type nn, scope } from '@chronotope/torch';
import type { ClipReader } from '../../data/clip-reader.js';
import type { ClipWorkers } from '../../data/clip-workers.js';
import { ClipLoader } from '../../data/loader.js';
import type { ManifestEntry } from '../../data/manifest.js';
import { ChronotopeError } from '../../errors.js';
import type { LssRecipe } from '../../recipes/lss.js';
import { saveModel } from '../../training/checkpoint.js';
import type { MetricsLine } from '../../training/fit.js';
import type { Progress } from '../../training/progress.js';
import type { StageFolder } from '../../training/stage-folder.js';
import { trainStage } from '../../training/train-stage.js';
import { collapseIn } from './collapse.js';
import { ConceptSpaces, type ConceptVectors, meaninglessConcepts } from './concept-spaces.js';
import { type DistilledNetwork, embeddingSize, newNetwork, startNetwork } from './networks.js';
import { SelfDistillation } from './self-distillation.js';
import { distillationTraining } from './training.js';
import { trainingPlan } from './views.js';

/** What a run leaves: the network it began with, the student, and the teacher, which is the result. */
export const NETWORK_STAGES = ['start', 'student', 'teacher'] as const;
export type NetworkStage = (typeof NETWORK_STAGES)[number];

/** What each network is, for people. */
export const STAGE_TITLES: Record<NetworkStage, string> = {
  start: 'before training',
  student: 'student',
  teacher: 'teacher, the average of the student',
};

/** What the pipeline works with. */
export interface LssRun {
  recipe: LssRecipe;
  /** The training videos. */
  videos: readonly ManifestEntry[];
  reader: ClipReader;
  workers: ClipWorkers | null;
  /** The texts' embeddings and the categories' names, for concepts that come from a file. */
  concepts: { vectors: ConceptVectors; names: readonly string[] } | null;
  stage: (name: string) => StageFolder;
  progress: Progress;
  saveEverySeconds?: number;
  signal?: AbortSignal;
}

/**
 * LSS, or SVT with the head `dino`: self-distillation of one network into another from unlabelled videos. The whole state
 * is the stage `self-distillation`; the networks of {@link NETWORK_STAGES} and the concept spaces are stages of their own.
 *
 * @throws ChronotopeError `concepts-differ`; those of {@link trainStage} and {@link ClipLoader}
 */
export async function runLss(run: LssRun): Promise<void> {
  const { recipe } = run;
  const model = newSelfDistillation(recipe, run.concepts?.vectors ?? null);
  try {
    keepNetwork(run, 'start', model.student);
    if (model.spaces) keepModule(run.stage('concepts'), model.spaces, { names: run.concepts?.names ?? null });
    const stage = run.stage('self-distillation');
    await trainStage(stage, model, () => {
      const { reader, workers, progress, signal, saveEverySeconds } = run;
      const loader = new ClipLoader({
        // Nothing is learnt from labels.
        ...{ entries: run.videos.map((video) => ({ ...video, label: null })), classes: [] },
        ...{ reader, workers, plan: trainingPlan(recipe) },
        ...{ size: recipe.inputSize, batchSize: recipe.train.batch, seed: recipe.seed },
      });
      const title = recipe.head.kind === 'dino' ? 'self-distillation' : 'distillation of concepts';
      return { title, progress, signal, saveEverySeconds, ...distillationTraining(model, loader, recipe) };
    });
    for (const warning of collapseOf(model, recipe, stage.metrics().at(-1)))
      run.progress.note(`  collapse: ${warning}`);
    keepNetwork(run, 'student', model.student);
    keepNetwork(run, 'teacher', model.teacher);
  } finally {
    model.dispose();
  }
}

/**
 * Student and teacher with the same start weights, and the concept spaces of the recipe.
 *
 * @throws ChronotopeError `concepts-differ` for concepts of another size than the network's embeddings
 */
export function newSelfDistillation(recipe: LssRecipe, concepts: ConceptVectors | null): SelfDistillation {
  const student = startNetwork(recipe);
  const teacher = newNetwork(recipe);
  scope(() => void teacher.loadStateDict(student.stateDict()));
  const spaces = recipe.head.kind === 'text' ? scope(() => newSpaces(recipe, concepts)) : null;
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

function newSpaces(recipe: LssRecipe, given: ConceptVectors | null): ConceptSpaces {
  const embedding = embeddingSize(recipe);
  const vectors = given ?? meaninglessConcepts(recipe.concepts, embedding);
  const [, size] = vectors.categories.shape;
  if (size !== embedding) {
    throw new ChronotopeError(
      'concepts-differ',
      `concept vectors have ${size} numbers, embeddings of the network ${embedding}`,
      { hint: 'Make the concept vectors with the text tower of the CLIP that the network starts from.' },
    );
  }
  return new ConceptSpaces(vectors, recipe.concepts, recipe.seed);
}

function keepNetwork(run: LssRun, name: NetworkStage, network: DistilledNetwork): void {
  keepModule(run.stage(name), network, {});
}

/** Writes a module as a stage of its own, unless it is there. */
function keepModule(stage: StageFolder, module: nn.Module, result: Record<string, unknown>): void {
  if (stage.isDone) return;
  stage.begin();
  saveModel(stage, module);
  stage.finish(result);
}
