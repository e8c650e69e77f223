import { isDeepStrictEqual } from 'node:util';
import { manualSeed, scope, type Tensor } from '@chronotope/torch';
import type { ManifestEntry } from '../../data/manifest.js';
import { predictVideos } from '../../evaluation/predict-videos.js';
import { balancingFactors } from '../../losses/class-balance.js';
import type { Classifier } from '../../models/classifier.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { loadPredictions, type PredictionTable, savePredictions } from '../../training/prediction-table.js';
import { firstDoes } from '../../training/processes.js';
import { trainStage } from '../../training/train-stage.js';
import { isOfPretraining, pretrainedFeatures, similarityScores, teacherFeatures } from './inference.js';
import { newClassifier, startFromGivenWeights } from './networks.js';
import {
  inRun,
  labelledLoader,
  newLoader,
  type Pretrained,
  startingNetwork,
  type TimeBalanceRun,
  testLoader,
  unlabelledLoader,
  validationOf,
  videosOf,
} from './run.js';
import { mapScores } from './score-map.js';
import { kindOf, type Student, stageName, studentsOf, type Teacher, teachersOf } from './stages.js';
import { type Combination, cachedTeaching, liveTeaching, type Teaching, tabledAnswers } from './teaching.js';
import { studentTraining } from './training.js';
import { viewPlan } from './view-plans.js';

/** The networks that students learn from. */
export interface TeacherNetworks {
  pretrained: Pretrained;
  teachers: ReadonlyMap<Teacher, Classifier>;
}

/** Stages C and D of one student, unless they are done already. */
export async function trainStudent(
  run: TimeBalanceRun,
  draw: number,
  student: Student,
  networks: TeacherNetworks,
): Promise<void> {
  const stage = run.stage(stageName(draw, student.stage));
  const weights = await teacherWeights(run, draw, student, networks);
  if (stage.isDone) return;
  const { recipe } = student;
  const settings = recipe.student;
  const { teaching, knows, close } = await teachingOf(run, draw, student, { ...networks, weights });
  manualSeed(recipe.seed + draw);
  const start = startingNetwork(networks.pretrained, settings.start);
  const model = newClassifier(recipe, run.classes.length, { dropout: settings.dropout, pretrained: start }).to({
    device: run.device,
  });
  await trainStage(stage, model, () => {
    if (!start) startFromGivenWeights(model.backbone, recipe);
    // Without a score or a prediction, nothing says what the teachers think of a video.
    const taught = videosOf(run, draw).filter(({ id }) => weights.has(id) && knows(id));
    const loaders = {
      labelled: labelledLoader(run, taught, settings),
      unlabelled: unlabelledLoader(run, taught, viewPlan(recipe, 'student'), settings.unlabelledBatch),
    };
    const training = studentTraining(model, teaching, loaders, settings, recipe.training.optimizer);
    return inRun(run, `${student.stage}, label draw ${draw + 1}`, training, validationOf(run, draw, model));
  });
  model.dispose();
  close();
}

/** The weight of a student's first teacher for each video: its temporal similarity, where that says which to believe. */
async function teacherWeights(
  run: TimeBalanceRun,
  draw: number,
  student: Student,
  networks: TeacherNetworks,
): Promise<Map<string, number>> {
  const { student: settings, similarity } = student.recipe;
  const kinds = new Set(settings.teacherPair);
  if (kinds.size < 2) return new Map(run.draws[draw]!.map(({ id }) => [id, 0.5]));
  const scores = await temporalSimilarity(run, draw, student, networks);
  const mapped = mapScores([...scores.values()], similarity.map);
  const isFirst = settings.teacherPair[0] === 'invariant';
  return new Map([...scores.keys()].map((id, index) => [id, isFirst ? mapped[index]! : 1 - mapped[index]!]));
}

/** Stage C. Scores of pre-trained features serve every draw, those of fine-tuned teachers one. */
async function temporalSimilarity(
  run: TimeBalanceRun,
  draw: number,
  student: Student,
  { pretrained, teachers }: TeacherNetworks,
): Promise<Map<string, number>> {
  const { source, teachers: asked } = student.recipe.similarity;
  const isShared = isOfPretraining(source);
  const name = sharedName('similarity', student, run.recipe, ({ similarity: { map: _, ...measured } }) => measured);
  const stage = run.stage(isShared ? name : `draw-${draw + 1}/${name}`);
  await firstDoes(() => {
    if (stage.isDone) return;
    const loader = newLoader(run, run.draws[draw]!, viewPlan(student.recipe, 'similarity'), { batchSize: 16 });
    const kinds = asked === 'both' ? (['invariant', 'distinctive'] as const) : [asked];
    const features = kinds.map((kind) =>
      isOfPretraining(source)
        ? pretrainedFeatures(pretrained.get(`pretrain-${kind}`)!, source)
        : teacherFeatures(teachers.get(kind)!, source),
    );
    const task = run.progress.begin('temporal similarity', loader.videos, 'videos');
    const scores = similarityScores(features, loader);
    stage.begin();
    stage.finish({ scores: Object.fromEntries(scores), damaged: loader.damaged });
    task.end();
    for (const { id, reason } of loader.damaged) run.progress.note(`  temporal similarity: left out: ${id}: ${reason}`);
  });
  return new Map(Object.entries(stage.result().scores as Record<string, number>));
}

/** What a student's teachers say, and of which videos they can say it. */
async function teachingOf(
  run: TimeBalanceRun,
  draw: number,
  student: Student,
  { teachers, weights }: TeacherNetworks & { weights: ReadonlyMap<string, number> },
): Promise<{ teaching: Teaching; knows: (id: string) => boolean; close: () => void }> {
  const { mixing, teacherTemperature, teacherBalance, ...settings } = student.recipe.student;
  const pair = teachersOf(settings);
  const isCached = settings.teachers === 'cached';
  const tables: PredictionTable[] = [];
  for (const teacher of isCached || teacherBalance !== 'none' ? pair : []) {
    tables.push(await teacherPredictions(run, draw, { teacher, model: teachers.get(teacher)! }));
  }
  const knows = (id: string): boolean => tables.every(({ rows }) => rows.has(id));
  const combination: Combination = { weights, mixing, teacherTemperature };
  if (teacherBalance !== 'none') {
    const videos = videosOf(run, draw).filter(({ id }) => weights.has(id) && knows(id));
    combination.classFactors = balance(videos, run, tables, { weights, mixing });
  }
  const networks = pair.map((teacher) => teachers.get(teacher)!);
  return {
    teaching: isCached ? cachedTeaching(tables, combination) : liveTeaching(networks, combination),
    knows: isCached ? knows : () => true,
    close: () => {
      for (const { probabilities } of tables) probabilities.dispose();
      combination.classFactors?.dispose();
    },
  };
}

/** Factors with which the teachers name the classes of all videos as often as the labels do. */
function balance(
  videos: readonly ManifestEntry[],
  { classes, device }: Pick<TimeBalanceRun, 'classes' | 'device'>,
  tables: readonly PredictionTable[],
  combination: Pick<Combination, 'weights' | 'mixing'>,
): Tensor {
  const labels = classes.map((name) => videos.filter(({ label }) => label === name).length);
  const ids = videos.map(({ id }) => id);
  return scope(() => {
    const answers = tabledAnswers(tables, ids, { ...combination, teacherTemperature: 1 });
    return balancingFactors(answers, labels).to({ device });
  });
}

/**
 * What a teacher says of every training video, as it would be tested: the mean over test clips. The clips of the similarity
 * score can have another stride than those that teachers learn from, and their answers to them are worse.
 */
async function teacherPredictions(
  run: TimeBalanceRun,
  draw: number,
  { teacher, model }: { teacher: Teacher; model: Classifier },
): Promise<PredictionTable> {
  const stage = run.stage(`draw-${draw + 1}/predictions-${teacher}`);
  await firstDoes(() => {
    if (stage.isDone) return;
    const { classes, reader, device } = run;
    const loader = testLoader(run.recipe, { entries: run.draws[draw]!, classes, reader, device });
    const task = run.progress.begin(`what the ${kindOf(teacher)} teacher says`, loader.videos, 'videos');
    const predictions = predictVideos(model, loader);
    stage.begin();
    savePredictions(stage, predictions);
    stage.finish({ videos: predictions.length, damaged: loader.damaged });
    task.end();
  });
  return loadPredictions(stage);
}

/**
 * The name of a stage that students share as far as their settings agree: that of the first student with the same
 * settings.
 *
 * @param settings those that decide about the stage's result
 */
function sharedName(
  name: string,
  student: Student,
  recipe: TimeBalanceRecipe,
  settings: (recipe: TimeBalanceRecipe) => unknown,
): string {
  const wanted = settings(student.recipe);
  const first = studentsOf(recipe).find((other) => isDeepStrictEqual(settings(other.recipe), wanted))!;
  return first.stage === 'student' ? name : `${name}-${first.stage.slice('student-'.length)}`;
}
