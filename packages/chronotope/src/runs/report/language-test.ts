import { scope, type Tensor } from '@chronotope/torch';
import type { ManifestEntry } from '../../data/manifest.js';
import { ChronotopeError } from '../../errors.js';
import { videoFeatures } from '../../evaluation/features.js';
import { knnScores, nearestNeighbours } from '../../evaluation/nearest-neighbours.js';
import type { ClassifierResults } from '../../explain/content.js';
import type { LanguageTest, Recogniser } from '../../explain/language/content.js';
import { spokenName } from '../../language/class-names.js';
import { fillTemplates, TEMPLATES } from '../../language/templates.js';
import { trainedMethod } from '../../methods/trained-method.js';
import type { ClipRecipe } from '../../recipes/clip.js';
import type { LssRecipe } from '../../recipes/lss.js';
import type { Progress } from '../../training/progress.js';
import { type LanguageModel, openLanguageModel } from '../language-model.js';
import { readRunData } from '../run-data.js';
import type { RunFolder } from '../run-folder.js';
import { bootstrapOver, type LabelledVideos, openVideos } from '../test-videos.js';
import { withNetwork } from '../trained-networks.js';
import { embedLoader } from '../video-vectors.js';
import { predict } from '../zero-shot.js';
import { breathe } from './breathe.js';
import { languagePictures } from './language-pictures.js';

/** What the tests of a run of CLIP or LSS work with. */
export interface LanguageWork {
  run: RunFolder;
  recipe: ClipRecipe | LssRecipe;
  /** The test videos. */
  videos: LabelledVideos;
  progress: Progress;
  signal?: AbortSignal;
}

/** A network to test: of this run, or the image CLIP that the run started from. */
interface TestedNetwork {
  title: string;
  role: ClassifierResults['role'];
  /** A run folder or a file of weights. */
  source: string;
  /** Of this run; absent for a file. */
  stage?: string;
  /** Clips or frames of each video; absent for the recipe's. */
  clips?: number;
}

const NEIGHBOURS = 5;
/** Frames of a video that an image CLIP sees, where they are averaged. */
const FRAMES = 8;
/** The prompts of `chronotope zero-shot`. */
const PROMPTS = TEMPLATES.kinetics;

/**
 * How far each network of a run recognises the test videos: by words where it knows any, else by labelled neighbours.
 *
 * @returns null when no network is trained yet
 */
export async function languageTest(work: LanguageWork): Promise<LanguageTest | null> {
  const { run, recipe } = work;
  const method = trainedMethod(recipe);
  const done = method.stages.filter((stage) => run.stage(stage).isDone);
  if (done.length === 0) return null;
  const why = wordless(run, done[0]!);
  const { recogniser, classifiers, ids } =
    why === null ? await byWords(work, networksOf(work, done)) : await byNeighbours(work, done, why);
  const videos = ids.map((id) => ({ id, truth: work.videos.truth.get(id)! }));
  const main = classifiers.findLast(({ stage }) => stage === method.mainStage) ?? classifiers.at(-1)!;
  const baseline = classifiers.find(({ stage }) => stage === 'start') ?? classifiers[0]!;
  const bootstrap = bootstrapOver({ ...work.videos, ids }, recipe.seed);
  const results = { recogniser, videos, classifiers, main, baseline, bootstrap };
  return { ...results, ...(await languagePictures(work, results)) };
}

/** Why a network cannot be asked by words; null when it can. */
function wordless(run: RunFolder, stage: string): string | null {
  try {
    openLanguageModel(run.folder, { stage }).dispose();
    return null;
  } catch (error) {
    if (error instanceof ChronotopeError && error.code === 'no-language') return 'its network knows no words';
    if ((error as { code?: string }).code === 'io') return 'the file with the text tower that it started from is gone';
    throw error;
  }
}

/** The networks of a run, before them the image CLIP by itself. */
function networksOf({ run, recipe }: LanguageWork, done: readonly string[]): TestedNetwork[] {
  const image = (source: string, stage?: string): TestedNetwork[] => [
    { title: 'image CLIP, middle frame', role: 'baseline', source, stage, clips: 1 },
    { title: `image CLIP, mean of ${FRAMES} frames`, role: 'baseline', source, stage, clips: FRAMES },
  ];
  if (recipe.method === 'clip') return done.flatMap((stage) => image(run.folder, stage));
  const { title } = trainedMethod(recipe);
  const own = done.map((stage): TestedNetwork => {
    const role = stage === 'start' ? 'baseline' : stage === 'student' ? 'student' : 'teacher';
    return {
      title: stage === 'start' ? 'this network before training' : title(stage),
      role,
      source: run.folder,
      stage,
    };
  });
  return [...image(recipe.model.pretrained!), ...own];
}

interface Recognised {
  recogniser: Recogniser;
  classifiers: ClassifierResults[];
  ids: string[];
}

async function byWords(
  { run, videos, progress, signal }: LanguageWork,
  networks: readonly TestedNetwork[],
): Promise<Recognised> {
  const concepts = run.description.classes.map((name) => ({ name: spokenName(name), descriptions: [] }));
  const task = progress.begin('testing', networks.length, 'networks');
  const classifiers: ClassifierResults[] = [];
  let ids: string[] = [];
  for (const { title, role, source, stage, clips } of networks) {
    const model = openLanguageModel(source, { stage });
    const predictions = scope(() =>
      predict(model, embedLoader(model, unlabelled(model, videos, clips)), concepts, PROMPTS),
    );
    model.dispose();
    ids = predictions.map(({ id }) => id);
    const draws = [predictions.map(({ probabilities }) => probabilities)];
    classifiers.push({ stage: source === run.folder ? stage! : title, title, role, draws });
    task.update(classifiers.length);
    await breathe(signal);
  }
  task.end();
  return { recogniser: { by: 'words', prompts: fillTemplates(PROMPTS, concepts[0]!.name) }, classifiers, ids };
}

/** A loader of videos whose labels the network does not get to see. */
export function unlabelled(
  model: LanguageModel,
  { entries, reader }: { entries: readonly ManifestEntry[]; reader: LabelledVideos['reader'] },
  clips?: number,
) {
  return model.loader({ entries: entries.map((entry) => ({ ...entry, label: null })), classes: [], reader }, { clips });
}

async function byNeighbours(
  { run, recipe, videos, progress, signal }: LanguageWork,
  stages: readonly string[],
  why: string,
): Promise<Recognised> {
  const { classes } = run.description;
  const labelled = readRunData(run).train.filter(({ label }) => label !== null);
  const gallery = await openVideos(run, labelled, { recipe, progress, signal });
  try {
    const k = Math.min(NEIGHBOURS, gallery.loader.videos);
    let ids: string[] = [];
    const classifiers = stages.map((stage): ClassifierResults => {
      const scores = withNetwork(run, recipe, { stage, draw: 0 }, ({ backbone }) =>
        scope(() => {
          const [tests, known] = [videoFeatures(backbone, videos.loader), videoFeatures(backbone, gallery.loader)];
          ids = tests.ids;
          return votes(tests.features, known.features, {
            labels: known.ids.map((id) => gallery.truth.get(id)!),
            classes: classes.length,
            k,
          });
        }),
      );
      const role = stage === 'start' ? 'baseline' : stage === 'student' ? 'student' : 'teacher';
      return { stage, title: trainedMethod(recipe).title(stage), role, draws: [scores] };
    });
    return { recogniser: { by: 'neighbours', k, why }, classifiers, ids };
  } finally {
    gallery.reader.dispose();
  }
}

/** Shares of the votes of labelled neighbours. */
function votes(
  queries: Tensor,
  gallery: Tensor,
  { labels, classes, k }: { labels: number[]; classes: number; k: number },
): Float32Array[] {
  return knnScores(nearestNeighbours(queries, gallery, k), labels, { k, classes }).map((scores) => {
    const total = scores.reduce((sum, score) => sum + score, 0);
    return scores.map((score) => score / total);
  });
}
