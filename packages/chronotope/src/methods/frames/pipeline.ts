import { manualSeed, optim } from '@chronotope/torch';
import { ClipLoader } from '../../data/loader.js';
import type { ManifestEntry } from '../../data/manifest.js';
import { validationFolds } from '../../evaluation/linear-probe.js';
import { predictVideos } from '../../evaluation/predict-videos.js';
import { accuracy } from '../../evaluation/video-level.js';
import type { FramesRecipe } from '../../recipes/frames.js';
import { byEpoch, milestoneEpochs } from '../../training/epoch-schedule.js';
import { firstDecides, shard } from '../../training/processes.js';
import { PLAIN_TRAINING, partOfBatch } from '../../training/settings.js';
import { trainStage } from '../../training/train-stage.js';
import { classifierLoss } from '../classifier-loss.js';
import { classifierValidation } from '../classifier-validation.js';
import type { MethodRun } from '../method-run.js';
import type { TestSource, TestViews } from '../trained-method.js';
import { type FrameClassifier, newFrameClassifier, startFromGivenWeights } from './frame-classifier.js';
import { evaluationPlan, trainingPlan } from './view-plans.js';

/** The stage with the classifier. */
export const CLASSIFIER = 'classifier';

/** Share of the training videos that learning rates are compared on. */
const VALIDATION_FOLDS = 10;

/** What the pipeline works with. */
export interface FramesRun extends MethodRun<FramesRecipe> {
  /** The labelled training videos. */
  videos: readonly ManifestEntry[];
  /** Others, that the classifier is measured on while it learns. Default: none. */
  validation?: readonly ManifestEntry[];
}

/** How the learning rate was chosen. */
export interface RateSearch {
  chosen: number;
  /** Top-1 on the videos held out, for each rate; empty where there was nothing to choose. */
  tried: { rate: number; top1: number }[];
}

/** Trains the classifier, with the learning rate that does best on held-out training videos where several are given. */
export async function runFrames(run: FramesRun): Promise<RateSearch> {
  const search = await searchRate(run);
  const model = await trainClassifier(run, run.videos, CLASSIFIER, search.chosen);
  model.dispose();
  return search;
}

async function searchRate(run: FramesRun): Promise<RateSearch> {
  const { recipe, videos, classes, reader } = run;
  const rates = recipe.training.learningRates;
  if (rates.length === 1) return { chosen: rates[0]!, tried: [] };
  const labels = videos.map(({ label }) => classes.indexOf(label!));
  const folds = validationFolds({ labels, groups: videos.map(({ group }) => group) }, VALIDATION_FOLDS, recipe.seed);
  const [held, rest] = [videos.filter((_, k) => folds[k] === 0), videos.filter((_, k) => folds[k] !== 0)];
  const tried: RateSearch['tried'] = [];
  for (const rate of rates) {
    const model = await trainClassifier(run, rest, `search/${rate}`, rate);
    const source = { entries: held, classes, reader, device: run.device };
    const top1 = await firstDecides(() => {
      const predictions = predictVideos(model, testLoader(recipe, source));
      const truth = new Map(held.map(({ id, label }) => [id, classes.indexOf(label!)]));
      return accuracy(predictions, truth, classes).top1;
    });
    tried.push({ rate, top1 });
    model.dispose();
  }
  // Of equal rates the first, so that the order in the recipe says which is preferred.
  const chosen = tried.reduce((best, one) => (one.top1 > best.top1 ? one : best)).rate;
  run.progress.note(
    `  learning rate ${chosen}: ${tried.map(({ rate, top1 }) => `${rate} ${(100 * top1).toFixed(1)} %`).join(', ')}`,
  );
  return { chosen, tried };
}

async function trainClassifier(
  run: FramesRun,
  videos: readonly ManifestEntry[],
  name: string,
  rate: number,
): Promise<FrameClassifier> {
  const { recipe, classes } = run;
  const { training } = recipe;
  manualSeed(recipe.seed);
  const model = newFrameClassifier(recipe, classes.length).to({ device: run.device });
  const stage = run.stage(name);
  if (!stage.isDone) startFromGivenWeights(model, recipe);
  if (training.warmupEpochs > 0 && !stage.isDone) {
    const trainsTrunk = training.trunk === 'fine-tuned';
    if (trainsTrunk) model.backbone.freeze();
    const title = `${name}, last layer only`;
    await trainStage(run.stage(`${name}-warm-up`), model, () =>
      stageOptions(run, model, videos, { title, rate, epochs: training.warmupEpochs, milestones: [] }),
    );
    if (trainsTrunk) model.backbone.unfreeze();
  }
  const { epochs, milestones } = training;
  await trainStage(stage, model, () => stageOptions(run, model, videos, { title: name, rate, epochs, milestones }));
  return model;
}

function stageOptions(
  { recipe, classes, reader, workers, device, progress, signal, saveEverySeconds, validation = [] }: FramesRun,
  model: FrameClassifier,
  videos: readonly ManifestEntry[],
  { title, rate, epochs, milestones }: { title: string; rate: number; epochs: number; milestones: readonly number[] },
) {
  const { training, inputSize: size, seed } = recipe;
  const { batch, clipsPerVideo, decay } = training;
  const source = { classes, reader, device };
  const loader = new ClipLoader({
    ...source,
    ...{ entries: videos, workers, plan: trainingPlan(recipe), size, seed, shard: shard() },
    batchSize: partOfBatch(batch, training),
  });
  const stepsPerEpoch = Math.max(1, Math.round((loader.videos * clipsPerVideo) / batch));
  const measured = { ...source, entries: validation };
  return {
    title,
    ...{ progress, signal, saveEverySeconds },
    settings: { ...PLAIN_TRAINING, ...training },
    validation:
      validation.length === 0 ? undefined : classifierValidation(model, testLoader(recipe, measured), measured),
    loaders: [loader],
    steps: epochs * stepsPerEpoch,
    optimizer: newOptimizer(model, rate, training),
    schedule: byEpoch(milestoneEpochs(milestones, decay), stepsPerEpoch),
    batch: (step: number) => loader.stepBatch(step),
    loss: classifierLoss(model),
  };
}

function newOptimizer(
  model: FrameClassifier,
  lr: number,
  { optimizer, momentum, weightDecay }: FramesRecipe['training'],
): optim.Optimizer {
  const trained = model.parameters().filter(({ requiresGrad }) => requiresGrad);
  return optimizer === 'sgd'
    ? new optim.SGD(trained, { lr, momentum, weightDecay })
    : new optim.Adam(trained, { lr, weightDecay });
}

/** A loader of test clips. */
export function testLoader(recipe: FramesRecipe, source: TestSource, views: TestViews = {}): ClipLoader {
  const plan = evaluationPlan(recipe, views);
  return new ClipLoader({ ...source, plan, size: recipe.inputSize, batchSize: 8, seed: recipe.seed, shuffle: false });
}
