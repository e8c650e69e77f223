import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Device, manualSeed } from '@chronotope/torch';
import type { ClipReader } from '../data/clip-reader.js';
import type { ClipWorkers } from '../data/clip-workers.js';
import { ClipLoader } from '../data/loader.js';
import type { ManifestEntry } from '../data/manifest.js';
import { type FineTuningSettings, fineTuningOf } from '../methods/fine-tuning.js';
import { trainedMethod } from '../methods/trained-method.js';
import { Classifier } from '../models/classifier.js';
import type { VideoRecipe } from '../recipes/schemas.js';
import type { Progress } from '../training/progress.js';
import { partOfBatch } from '../training/settings.js';
import { StageFolder } from '../training/stage-folder.js';
import { trainStage } from '../training/train-stage.js';
import { type NetworkChoice, weightsFile } from './chosen-weights.js';
import type { RunFolder } from './run-folder.js';
import { loadNetwork } from './trained-networks.js';

/** What all fine-tunings of an evaluation share. */
export interface FineTuningContext {
  run: RunFolder;
  recipe: VideoRecipe;
  settings: FineTuningSettings;
  reader: ClipReader;
  workers: ClipWorkers | null;
  device: Device;
  progress: Progress;
  signal?: AbortSignal;
  /** How much work a kill may cost, in seconds. Default 60. */
  saveEverySeconds?: number;
}

/** A network that has learnt to classify. */
export interface FineTuned<T> {
  /** What came of using it. */
  result: T;
  steps: number;
  /** Share of the training clips that it got right in the last steps. */
  trainingAccuracy: number;
  /** Training videos that are too short, or whose frames turned out to be damaged. */
  excluded: { id: string; reason: string }[];
}

/**
 * Fine-tunes a network of a run with a new linear layer, and lends it to `use`. The folder `fine-tuned/` of the run keeps
 * it under a name of its own for the weights, videos, labels and settings that it comes from: asked for again, it is there
 * already, and an interrupted one goes on. The recipe's seed and the label draw decide everything random.
 *
 * @param entries the training videos with their labels
 * @throws ChronotopeError `batch-not-divisible`; those of {@link loadNetwork} and `trainStage`
 */
export async function withFineTuned<T>(
  context: FineTuningContext,
  which: NetworkChoice,
  entries: readonly ManifestEntry[],
  use: (model: Classifier) => T,
): Promise<FineTuned<T>> {
  const { run, recipe, settings, device, progress, signal, saveEverySeconds } = context;
  const method = trainedMethod(recipe);
  const { dropout } = method.fineTuning();
  const stage = stageOf(context, which, entries);
  const network = loadNetwork(run, recipe, which);
  manualSeed(recipe.seed + which.draw);
  const model = new Classifier(network.backbone.unfreeze(), run.description.classes.length, { dropout }).to({ device });
  try {
    const loader = trainingLoader(context, entries);
    await trainStage(stage, model, () => {
      const title = `fine-tuning ${method.folderName(which.stage, which.draw)}`;
      return {
        ...{ title, progress, signal, saveEverySeconds },
        ...fineTuningOf(model, loader, settings, recipe.training),
      };
    });
    const { steps, metrics } = stage.result() as { steps: number; metrics: { accuracy: number } };
    const excluded = [...loader.excluded, ...loader.damaged];
    return { result: use(model), steps, trainingAccuracy: metrics.accuracy, excluded };
  } finally {
    model.fc.dispose();
    network.module.dispose();
  }
}

function trainingLoader(
  { run, recipe, settings, reader, workers, device }: FineTuningContext,
  entries: readonly ManifestEntry[],
): ClipLoader {
  return new ClipLoader({
    ...{ entries, classes: run.description.classes, reader, workers, device },
    plan: trainedMethod(recipe).fineTuning().plan,
    size: recipe.inputSize,
    batchSize: partOfBatch(settings.batch, recipe.training),
    seed: recipe.seed,
  });
}

/** The folder of a fine-tuning, whose name depends on all that decides its result besides the recipe. */
function stageOf(
  { run, recipe, settings }: FineTuningContext,
  which: NetworkChoice,
  entries: readonly ManifestEntry[],
): StageFolder {
  const labels = entries.map(({ id, label }) => [id, label]);
  const key = createHash('sha256')
    .update(readFileSync(weightsFile(run, recipe, which)))
    .update(JSON.stringify({ settings, labels, draw: which.draw }))
    .digest('hex')
    .slice(0, 12);
  const name = `${trainedMethod(recipe).folderName(which.stage, which.draw)}-${key}`;
  return new StageFolder(run.path('fine-tuned', name), name, run.folder);
}
