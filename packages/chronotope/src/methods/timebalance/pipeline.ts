import { manualSeed } from '@chronotope/torch';
import type { ClipReader } from '../../data/clip-reader.js';
import type { ClipWorkers } from '../../data/clip-workers.js';
import { ClipLoader } from '../../data/loader.js';
import type { ManifestEntry } from '../../data/manifest.js';
import { trainPlan, type ViewPlan } from '../../data/views.js';
import type { PretextWeights } from '../../losses/pretext.js';
import type { Classifier } from '../../models/classifier.js';
import type { LabelledSettings, TimeBalanceRecipe } from '../../recipes/timebalance.js';
import type { Progress } from '../../training/progress.js';
import type { StageFolder } from '../../training/stage-folder.js';
import { trainStage } from '../../training/train-stage.js';
import type { TestSource, TestViews } from '../trained-method.js';
import { pooledFeatures, similarityScores } from './inference.js';
import { newClassifier, newPretextModel, startFromGivenWeights } from './networks.js';
import type { PretextModel } from './pretext-model.js';
import { mapScores } from './score-map.js';
import { labelledTraining, pretextTraining, studentTraining, type Training } from './training.js';
import { evaluationPlan, viewPlan } from './view-plans.js';

/** The stages that need no labels. Their results can serve another run with the same network and clips. */
export const PRETRAINING_STAGES = ['pretrain-invariant', 'pretrain-distinctive', 'pretrain-student'] as const;
export type PretrainingStage = (typeof PRETRAINING_STAGES)[number];

/** Loss weights of the three pre-trainings (TimeBalance, method note 1). */
const PRETEXTS: Record<Pretext, PretextWeights> = {
  invariant: { instance: 1, localLocal: 0, globalLocal: 0 },
  distinctive: { instance: 0, localLocal: 1, globalLocal: 1 },
  student: { instance: 1, localLocal: 1, globalLocal: 1 },
};
type Pretext = 'invariant' | 'distinctive' | 'student';

/** The classifiers of one label draw, in the order in which they are trained. */
export const CLASSIFIER_STAGES = [
  'supervised',
  'supervised-strong',
  'pre-trained',
  'teacher-invariant',
  'teacher-distinctive',
  'student',
] as const;

/** A stage that trains a classifier. */
export type ClassifierStage = (typeof CLASSIFIER_STAGES)[number];

/** What each network is, for people. */
export const STAGE_TITLES: Record<PretrainingStage | ClassifierStage, string> = {
  'pretrain-invariant': 'pre-training, invariant',
  'pretrain-distinctive': 'pre-training, distinctive',
  'pretrain-student': 'pre-training, all three losses',
  supervised: 'supervised only, from scratch',
  'supervised-strong': 'supervised only, augmented as in pre-training',
  'pre-trained': 'pre-trained with all three losses + fine-tuned',
  'teacher-invariant': 'temporally-invariant teacher',
  'teacher-distinctive': 'temporally-distinctive teacher',
  student: 'TimeBalance student',
};

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

/** The stage folder of a classifier. */
export function stageName(draw: number, stage: ClassifierStage): string {
  return `draw-${draw + 1}/${stage}`;
}

/**
 * All of TimeBalance: three pre-trainings that the label draws share, then for each draw the supervised baseline with
 * its own augmentation and with the strong one of pre-training, the fine-tuned student pre-training, both teachers, the
 * similarity scores and the student. Finished stages are loaded.
 */
export async function runTimeBalance(run: TimeBalanceRun): Promise<void> {
  const pretrained: Record<Pretext, PretextModel> = {
    invariant: await pretrain(run, 'invariant'),
    distinctive: await pretrain(run, 'distinctive'),
    student: await pretrain(run, 'student'),
  };
  for (const draw of run.draws.keys()) await runDraw(run, draw, pretrained);
  for (const model of Object.values(pretrained)) model.dispose();
}

/** A loader of test clips, for stage E and for prediction. */
export function testLoader(recipe: TimeBalanceRecipe, source: TestSource, views: TestViews = {}): ClipLoader {
  const plan = evaluationPlan(recipe, views);
  return new ClipLoader({ ...source, plan, size: recipe.inputSize, batchSize: 16, seed: recipe.seed, shuffle: false });
}

async function pretrain(run: TimeBalanceRun, pretext: Pretext): Promise<PretextModel> {
  const settings = run.recipe.pretrain[pretext];
  manualSeed(run.recipe.seed);
  const model = newPretextModel(run.recipe, settings.clipBatches);
  await trainStage(run.stage(`pretrain-${pretext}`), model, () => {
    startFromGivenWeights(model.backbone, run.recipe);
    const plan = viewPlan(run.recipe, `pretrain-${pretext}`);
    const loader = newLoader(run, run.draws[0]!, plan, settings.batch);
    return inRun(run, `pre-training, ${pretext}`, pretextTraining(model, loader, settings, PRETEXTS[pretext]));
  });
  return model;
}

async function runDraw(run: TimeBalanceRun, draw: number, pretrained: Record<Pretext, PretextModel>): Promise<void> {
  const { recipe } = run;
  const strong = { ...recipe.supervised, augment: recipe.pretrain.student.augment };
  const baselines = [
    await trainOnLabels(run, draw, 'supervised', recipe.supervised),
    await trainOnLabels(run, draw, 'supervised-strong', strong),
    await trainOnLabels(run, draw, 'pre-trained', recipe.teacher, pretrained.student),
  ];
  const invariant = await trainOnLabels(run, draw, 'teacher-invariant', recipe.teacher, pretrained.invariant);
  const distinctive = await trainOnLabels(run, draw, 'teacher-distinctive', recipe.teacher, pretrained.distinctive);
  const scores = similarity(run, draw, pretrained, { invariant, distinctive });
  const student = await trainStudent(run, draw, pretrained, { invariant, distinctive }, scores);
  for (const model of [...baselines, invariant, distinctive, student]) model.dispose();
}

async function trainOnLabels(
  run: TimeBalanceRun,
  draw: number,
  stage: ClassifierStage,
  settings: LabelledSettings,
  pretrained?: PretextModel,
): Promise<Classifier> {
  manualSeed(run.recipe.seed + draw);
  const model = newClassifier(run.recipe, run.classes.length, { dropout: settings.dropout, pretrained });
  await trainStage(run.stage(stageName(draw, stage)), model, () => {
    if (!pretrained) startFromGivenWeights(model.backbone, run.recipe);
    const loader = labelledLoader(run, run.draws[draw]!, settings);
    return inRun(run, `${stage}, label draw ${draw + 1}`, labelledTraining(model, loader, settings));
  });
  return model;
}

/** Stage C. Scores of pre-trained features serve every draw, those of fine-tuned teachers one. */
function similarity(
  run: TimeBalanceRun,
  draw: number,
  pretrained: Record<Pretext, PretextModel>,
  teachers: { invariant: Classifier; distinctive: Classifier },
): Map<string, number> {
  const { similarity: settings } = run.recipe;
  const shared = settings.source === 'pretrained';
  const stage = run.stage(shared ? 'similarity' : `draw-${draw + 1}/similarity`);
  if (!stage.isDone) {
    const plan = viewPlan(run.recipe, 'similarity');
    const loader = newLoader(run, run.draws[draw]!, plan, 16);
    const backbones = shared
      ? [pretrained.invariant.backbone, pretrained.distinctive.backbone]
      : [teachers.invariant.backbone, teachers.distinctive.backbone];
    for (const backbone of backbones) backbone.eval();
    const task = run.progress.begin('temporal similarity', loader.videos, 'videos');
    const scores = similarityScores(backbones.map(pooledFeatures), loader);
    stage.begin();
    stage.finish({ scores: Object.fromEntries(scores), damaged: loader.damaged });
    task.end();
    for (const { id, reason } of loader.damaged) run.progress.note(`  temporal similarity: left out: ${id}: ${reason}`);
  }
  return new Map(Object.entries(stage.result().scores as Record<string, number>));
}

async function trainStudent(
  run: TimeBalanceRun,
  draw: number,
  pretrained: Record<Pretext, PretextModel>,
  teachers: { invariant: Classifier; distinctive: Classifier },
  scores: ReadonlyMap<string, number>,
): Promise<Classifier> {
  const settings = run.recipe.student;
  manualSeed(run.recipe.seed + draw);
  const start = settings.start === 'scratch' ? undefined : pretrained[settings.start];
  const model = newClassifier(run.recipe, run.classes.length, { dropout: settings.dropout, pretrained: start });
  const mapped = mapScores([...scores.values()], run.recipe.similarity.map);
  const weights = new Map([...scores.keys()].map((id, index) => [id, mapped[index]!]));
  await trainStage(run.stage(stageName(draw, 'student')), model, () => {
    if (!start) startFromGivenWeights(model.backbone, run.recipe);
    for (const teacher of Object.values(teachers)) teacher.eval().requiresGrad_(false);
    // Without a score, nothing says how to mix the teachers.
    const scored = run.draws[draw]!.filter(({ id }) => weights.has(id));
    const unlabelled = scored.filter(({ label }) => label === null);
    const plan = viewPlan(run.recipe, 'student');
    const loaders = {
      labelled: labelledLoader(run, scored, settings),
      unlabelled: unlabelled.length === 0 ? null : newLoader(run, unlabelled, plan, settings.unlabelledBatch),
    };
    const training = studentTraining(model, { ...teachers, weights }, loaders, settings);
    return inRun(run, `student, label draw ${draw + 1}`, training);
  });
  return model;
}

function labelledLoader(
  run: TimeBalanceRun,
  entries: readonly ManifestEntry[],
  settings: LabelledSettings,
): ClipLoader {
  const labelled = entries.filter(({ label }) => label !== null);
  return newLoader(run, labelled, trainPlan(run.recipe.clips, settings.augment), settings.batch);
}

function newLoader(
  { recipe, classes, reader, workers }: TimeBalanceRun,
  entries: readonly ManifestEntry[],
  plan: ViewPlan,
  batchSize: number,
): ClipLoader {
  const { inputSize: size, seed } = recipe;
  return new ClipLoader({ entries, classes, reader, plan, size, batchSize, seed, workers });
}

function inRun<Batch>(run: TimeBalanceRun, title: string, training: Training<Batch>) {
  const { progress, signal, saveEverySeconds } = run;
  return { title, progress, signal, saveEverySeconds, ...training };
}
