import { manualSeed } from '@chronotope/torch';
import type { ViewPlan } from '../../data/views.js';
import type { Classifier } from '../../models/classifier.js';
import type { Baseline, LabelledSettings, TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { trainStage } from '../../training/train-stage.js';
import { newClassifier, startFromGivenWeights } from './networks.js';
import type { PretextModel } from './pretext-model.js';
import {
  inRun,
  labelledLoader,
  type Pretrained,
  startingNetwork,
  type TimeBalanceRun,
  unlabelledLoader,
  validationOf,
  videosOf,
} from './run.js';
import { fixMatchTraining, MeanTeacher, meanTeacherTraining, pseudoLabelTraining } from './semi-supervised.js';
import { type ClassifierStage, stageName } from './stages.js';
import { type BothLoaders, labelledTraining } from './training.js';
import { viewPlan } from './view-plans.js';

/** Trains what the student is compared with, unless that is done already. */
export async function trainBaseline(
  run: TimeBalanceRun,
  draw: number,
  baseline: Baseline,
  pretrained: Pretrained,
): Promise<void> {
  if (run.stage(stageName(draw, baseline)).isDone) return;
  const { recipe } = run;
  const model = await train(run, draw, baseline, recipe, pretrained);
  model.dispose();
}

function train(
  run: TimeBalanceRun,
  draw: number,
  baseline: Baseline,
  recipe: TimeBalanceRecipe,
  pretrained: Pretrained,
): Promise<Classifier | MeanTeacher> {
  switch (baseline) {
    case 'supervised':
      return trainOnLabels(run, draw, baseline, recipe.supervised);
    case 'supervised-strong': {
      const strong = { ...recipe.supervised, augment: recipe.pretrain.student.augment };
      return trainOnLabels(run, draw, baseline, strong);
    }
    case 'pre-trained':
      return trainOnLabels(run, draw, baseline, recipe.teacher, pretrained.get('pretrain-student'));
    case 'pseudo-label':
    case 'mean-teacher':
    case 'fixmatch':
      return trainSemiSupervised(run, draw, baseline, pretrained);
  }
}

/** Trains a classifier on the labelled videos alone: a supervised baseline, or a teacher (stage B). */
export async function trainOnLabels(
  run: TimeBalanceRun,
  draw: number,
  stage: ClassifierStage,
  settings: LabelledSettings,
  pretrained?: PretextModel,
): Promise<Classifier> {
  manualSeed(run.recipe.seed + draw);
  const model = newClassifier(run.recipe, run.classes.length, { dropout: settings.dropout, pretrained }).to({
    device: run.device,
  });
  await trainStage(run.stage(stageName(draw, stage)), model, () => {
    if (!pretrained) startFromGivenWeights(model.backbone, run.recipe);
    const loader = labelledLoader(run, videosOf(run, draw), settings);
    const training = labelledTraining(model, loader, settings, run.recipe.training.optimizer);
    return inRun(run, titleOf(stage, draw), training, validationOf(run, draw, model));
  });
  return model;
}

/** Steps, batches, optimiser and start are those of the recipe, so that only the method differs from the student's. */
async function trainSemiSupervised(
  run: TimeBalanceRun,
  draw: number,
  baseline: 'pseudo-label' | 'mean-teacher' | 'fixmatch',
  pretrained: Pretrained,
): Promise<Classifier | MeanTeacher> {
  const { recipe } = run;
  const { dropout } = recipe.student;
  const start = startingNetwork(pretrained, recipe.semiSupervised.start);
  manualSeed(recipe.seed + draw);
  const model = newClassifier(recipe, run.classes.length, { dropout, pretrained: start }).to({ device: run.device });
  if (!start) startFromGivenWeights(model.backbone, recipe);
  const stage = run.stage(stageName(draw, baseline));
  const title = titleOf(baseline, draw);
  const once = viewPlan(recipe, 'student');
  switch (baseline) {
    case 'pseudo-label': {
      const loaders = bothLoaders(run, draw, { labelled: once, unlabelled: once });
      await trainStage(stage, model, () =>
        inRun(run, title, pseudoLabelTraining(model, loaders, recipe), validationOf(run, draw, model)),
      );
      return model;
    }
    case 'fixmatch': {
      const loaders = bothLoaders(run, draw, { labelled: once, unlabelled: viewPlan(recipe, 'fixmatch') });
      await trainStage(stage, model, () =>
        inRun(run, title, fixMatchTraining(model, loaders, recipe), validationOf(run, draw, model)),
      );
      return model;
    }
    case 'mean-teacher': {
      const twice = viewPlan(recipe, 'mean-teacher');
      const loaders = bothLoaders(run, draw, { labelled: twice, unlabelled: twice });
      const pair = new MeanTeacher(
        model,
        newClassifier(recipe, run.classes.length, { dropout }).to({ device: run.device }),
      );
      await trainStage(stage, pair, () =>
        inRun(run, title, meanTeacherTraining(pair, loaders, recipe), validationOf(run, draw, pair.average)),
      );
      return pair;
    }
  }
}

function bothLoaders(
  run: TimeBalanceRun,
  draw: number,
  plans: { labelled: ViewPlan; unlabelled: ViewPlan },
): BothLoaders {
  const { student } = run.recipe;
  const entries = videosOf(run, draw);
  return {
    labelled: labelledLoader(run, entries, student, plans.labelled),
    unlabelled: unlabelledLoader(run, entries, plans.unlabelled, student.unlabelledBatch),
  };
}

function titleOf(stage: ClassifierStage, draw: number): string {
  return `${stage}, label draw ${draw + 1}`;
}
