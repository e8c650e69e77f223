import { manualSeed } from '@chronotope/torch';
import type { Classifier } from '../../models/classifier.js';
import { trainStage } from '../../training/train-stage.js';
import { trainBaseline, trainOnLabels } from './baselines.js';
import { newPretextModel, startFromGivenWeights } from './networks.js';
import type { PretextModel } from './pretext-model.js';
import { inRun, type Pretrained, type TimeBalanceRun, trainingLoader } from './run.js';
import {
  classifierStages,
  kindOf,
  type Pretext,
  type PretrainingStage,
  pretrainingStages,
  stageTitle,
  studentsOf,
  type Teacher,
} from './stages.js';
import { trainStudent } from './students.js';
import { freezeTeacher } from './teaching.js';
import { pretextTraining } from './training.js';
import { viewPlan } from './view-plans.js';

/**
 * All of TimeBalance: the pre-trainings, which the label draws share, then for each draw the baselines, the teachers, and
 * the students with the similarity scores that they go by. Finished stages are loaded.
 */
export async function runTimeBalance(run: TimeBalanceRun): Promise<void> {
  const pretrained = new Map<PretrainingStage, PretextModel>();
  for (const stage of pretrainingStages(run.recipe)) pretrained.set(stage, await pretrain(run, stage));
  for (const draw of run.draws.keys()) await runDraw(run, draw, pretrained);
  for (const model of pretrained.values()) model.dispose();
}

async function pretrain(run: TimeBalanceRun, stage: PretrainingStage): Promise<PretextModel> {
  const { recipe } = run;
  const { pretext, seed } = pretextOf(stage, recipe.seed);
  const settings = recipe.pretrain[pretext];
  manualSeed(seed);
  const model = newPretextModel(recipe, settings.clipBatches).to({ device: run.device });
  await trainStage(run.stage(stage), model, () => {
    startFromGivenWeights(model.backbone, recipe);
    const plan = viewPlan(recipe, `pretrain-${pretext}`);
    const loader = trainingLoader(run, run.draws[0]!, plan, { batchSize: settings.batch, seed });
    return inRun(run, stageTitle(stage), pretextTraining(model, loader, settings, recipe.training.optimizer));
  });
  return model;
}

/** The second network of a kind has the next seed. */
function pretextOf(stage: PretrainingStage, seed: number): { pretext: Pretext; seed: number } {
  if (stage === 'pretrain-student') return { pretext: 'student', seed };
  const teacher = stage.slice('pretrain-'.length) as Teacher;
  return { pretext: kindOf(teacher), seed: teacher.endsWith('-2') ? seed + 1 : seed };
}

async function runDraw(run: TimeBalanceRun, draw: number, pretrained: Pretrained): Promise<void> {
  const { recipe } = run;
  for (const baseline of recipe.baselines) await trainBaseline(run, draw, baseline, pretrained);
  const teachers = new Map<Teacher, Classifier>();
  for (const stage of classifierStages(recipe)) {
    if (!isTeacherStage(stage)) continue;
    const teacher = stage.slice('teacher-'.length) as Teacher;
    const start = pretrained.get(`pretrain-${teacher}`)!;
    teachers.set(teacher, freezeTeacher(await trainOnLabels(run, draw, stage, recipe.teacher, start)));
  }
  for (const student of studentsOf(recipe)) await trainStudent(run, draw, student, { pretrained, teachers });
  for (const model of teachers.values()) model.dispose();
}

function isTeacherStage(stage: string): stage is `teacher-${Teacher}` {
  return stage.startsWith('teacher-');
}
