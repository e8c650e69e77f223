import { scope } from '@chronotope/torch';
import { videoFeatures } from '../../evaluation/features.js';
import { predictVideos } from '../../evaluation/predict-videos.js';
import { type ChosenPrediction, choosePredictions, chooseQueries } from '../../explain/choose-examples.js';
import type { ClassifierResults, ExplainedPrediction, Picture, TestResults } from '../../explain/content.js';
import { otherNeighbours } from '../../explain/neighbours.js';
import { extremeClasses, teacherDifferences } from '../../explain/sections/teachers.js';
import {
  type ClassifierStage,
  classifierStages,
  stageName,
  stageRole,
  stageTitle,
} from '../../methods/timebalance/stages.js';
import { viewPlan } from '../../methods/timebalance/view-plans.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import type { Progress } from '../../training/progress.js';
import type { RunFolder } from '../run-folder.js';
import { bootstrapOver, type LabelledVideos } from '../test-videos.js';
import { loadClassifier } from '../trained-networks.js';
import { breathe } from './breathe.js';
import { FilmStrips } from './film-strips.js';

/** Examples shown; they bound the size of the report. */
const MISTAKES = 6;
const SUCCESSES = 4;
const QUERIES = 4;
const NEIGHBOURS = 3;

interface Work {
  run: RunFolder;
  recipe: TimeBalanceRecipe;
  testSet: LabelledVideos;
  progress: Progress;
  signal?: AbortSignal;
}

/** What all finished classifiers say of the test videos, with examples; `null` when none is finished. */
export async function testResults(work: Work, draws: number): Promise<TestResults | null> {
  const { run, recipe, testSet } = work;
  const { loader, truth } = testSet;
  const { classifiers, ids } = await classify(work, draws);
  const videos = ids.map((id) => ({ id, truth: truth.get(id)! }));
  const find = (stage: ClassifierStage) => classifiers.find((classifier) => classifier.stage === stage);
  const main = find('student') ?? classifiers.at(-1);
  if (main === undefined) return null;
  const [invariant, distinctive] = [find('teacher-invariant'), find('teacher-distinctive')];
  const teachers = invariant && distinctive ? { invariant, distinctive } : null;

  const model = loadClassifier(run, recipe, { stage: main.stage, draw: 0 });
  try {
    const others = scope(() => otherNeighbours(videoFeatures(model.backbone, loader).features, NEIGHBOURS));
    const sameClass = videos.filter(({ truth }, video) => {
      const nearest = others[video]![0];
      return nearest !== undefined && videos[nearest.index]!.truth === truth;
    });
    const neighbours = chooseQueries(videos, QUERIES).map((video) => ({ video, neighbours: others[video]! }));
    const chosen = choosePredictions(main, videos, { mistakes: MISTAKES, successes: SUCCESSES });
    const nearestOfSameClass = sameClass.length / videos.length;
    const bootstrap = bootstrapOver({ ...testSet, ids }, recipe.seed);
    const results = { videos, classifiers, bootstrap, main, teachers, neighbours, nearestOfSameClass };
    return { ...results, ...(await picture(work, results, chosen, model)) };
  } finally {
    model.dispose();
  }
}

/**
 * Predictions of every classifier that is finished in the first label draw, and the videos they are of: not always all
 * of the loader, because frames that turn out to be damaged have none.
 */
async function classify({ run, recipe, testSet, progress, signal }: Work, draws: number) {
  const isDone = (stage: ClassifierStage, draw: number) => run.stage(stageName(draw, stage)).isDone;
  const finished = classifierStages(recipe).filter((stage) => isDone(stage, 0));
  const task = progress.begin('testing', finished.length * draws, 'models');
  const classifiers: (ClassifierResults & { stage: ClassifierStage })[] = [];
  let ids: string[] = [];
  for (const stage of finished) {
    const predictions: Float32Array[][] = [];
    for (let draw = 0; draw < draws && isDone(stage, draw); draw++) {
      const model = loadClassifier(run, recipe, { stage, draw });
      const predicted = predictVideos(model, testSet.loader);
      ids = predicted.map(({ id }) => id);
      predictions.push(predicted.map(({ probabilities }) => probabilities));
      model.dispose();
      task.update(classifiers.length * draws + draw + 1);
      await breathe(signal);
    }
    classifiers.push({ stage, title: stageTitle(stage), role: stageRole(stage), draws: predictions });
  }
  task.end(`${ids.length} videos`);
  return { classifiers, ids };
}

type Chosen = ReturnType<typeof choosePredictions>;
type WithoutPictures = Omit<TestResults, 'mistakes' | 'successes' | 'strips'>;

/** Film strips of all examples. */
async function picture(
  { run, recipe, testSet, progress, signal }: Work,
  results: WithoutPictures,
  { mistakes, successes }: Chosen,
  model: Parameters<FilmStrips['evidence']>[2]['model'],
): Promise<Pick<TestResults, 'mistakes' | 'successes' | 'strips'>> {
  const { classes } = run.description;
  const plain = [...new Set([...extremeExamples(results, classes), ...neighbourExamples(results)])];
  const shown = [...new Set([...plain, ...[...mistakes, ...successes].map(({ video }) => video)])];
  const byId = new Map(testSet.entries.map((entry) => [entry.id, entry]));
  const idOf = (video: number) => results.videos[video]!.id;
  const film = await FilmStrips.open(
    shown.map((video) => byId.get(idOf(video))!),
    { frames: recipe.frames, plan: viewPlan(recipe, 'evaluation'), classes, signal },
  );
  if (film === null) return { mistakes: [], successes: [], strips: new Map() };
  try {
    const task = progress.begin('drawing examples', plain.length, 'videos');
    const strips = new Map<number, Picture>();
    for (const video of plain.filter((video) => film.has(idOf(video)))) {
      strips.set(video, await film.frames(idOf(video)));
      task.update(strips.size);
      await breathe(signal);
    }
    const explain = async (one: ChosenPrediction): Promise<ExplainedPrediction> => ({
      ...one,
      ...(await film.evidence(idOf(one.video), one, { model, input: testSet.loader })),
    });
    const explained = (all: ChosenPrediction[]) =>
      Promise.all(all.filter(({ video }) => film.has(idOf(video))).map(explain));
    const evidence = { mistakes: await explained(mistakes), successes: await explained(successes) };
    task.end();
    return { ...evidence, strips };
  } finally {
    film.dispose();
  }
}

/** The first video of each class at the ends of the list of teacher differences. */
function extremeExamples(results: WithoutPictures, classes: readonly string[]): number[] {
  const rows = teacherDifferences(results, classes);
  if (rows === null) return [];
  const { forInvariant, forDistinctive } = extremeClasses(rows);
  return [...forInvariant, ...forDistinctive].map(({ index }) =>
    results.videos.findIndex(({ truth }) => truth === index),
  );
}

function neighbourExamples({ neighbours }: WithoutPictures): number[] {
  return neighbours.flatMap((row) => [row.video, ...row.neighbours.map(({ index }) => index)]);
}
