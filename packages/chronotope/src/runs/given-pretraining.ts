import { statSync } from 'node:fs';
import { manualSeed, scope } from '@chronotope/torch';
import { contentHash } from '../data/index/content-hash.js';
import { ChronotopeError } from '../errors.js';
import { newPretextModel } from '../methods/timebalance/networks.js';
import type { PretextModel } from '../methods/timebalance/pretext-model.js';
import { PRETRAINING_STAGES, type Pretext, stageTitle, studentsOf } from '../methods/timebalance/stages.js';
import { importWeights } from '../models/weights/import-weights.js';
import type { WeightsReport } from '../models/weights/report.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import { saveModel } from '../training/checkpoint.js';
import { hasRun, RunFolder } from './run-folder.js';
import { weightsFile } from './weights-file.js';

/** The weights that a stage of pre-training has from elsewhere. */
export interface GivenPretraining {
  pretext: Pretext;
  /** Of the stage, for people. */
  title: string;
  /** SHA-256 of the file. */
  sha256: string;
  /** What of the file the network takes. */
  report: WeightsReport;
}

/**
 * Says before a run starts which networks of its pre-training come from files, and whether these fit. Stages that the run
 * has already are left out, so a run goes on without its files.
 *
 * @param out the run folder, which need not exist yet
 * @throws ChronotopeError `weights-missing`, `weights-differ`, `weights-normalised`, `projection-head-missing`,
 *   `not-a-run-folder`; TorchError `io` for an unusable file
 */
export async function givenPretraining(
  out: string,
  recipe: TimeBalanceRecipe,
  signal?: AbortSignal,
): Promise<GivenPretraining[]> {
  const run = hasRun(out) ? RunFolder.open(out) : null;
  const given: GivenPretraining[] = [];
  for (const stage of PRETRAINING_STAGES) {
    const pretext = stage.slice('pretrain-'.length) as Pretext;
    const { from } = recipe.pretrain[pretext];
    if (from === null || run?.stage(stage).isDone) continue;
    const file = fileOf(from, stage);
    const report = withNetwork(recipe, pretext, (model) => take(model, recipe, pretext, file));
    checkPixelValues(recipe, report);
    checkProjectionHead(recipe, pretext, report);
    given.push({ pretext, title: stageTitle(stage), sha256: (await contentHash(file, signal))!, report });
  }
  return given;
}

/** Puts the given weights into a run as finished stages, which say where they are from. */
export function takeGivenPretraining(
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  given: readonly GivenPretraining[],
): void {
  for (const { pretext, sha256, report } of given) {
    const stage = run.stage(`pretrain-${pretext}`);
    if (stage.isDone) continue;
    withNetwork(recipe, pretext, (model) => {
      take(model, recipe, pretext, report.file);
      stage.begin();
      saveModel(stage, model);
      stage.finish({ from: recipe.pretrain[pretext].from, sha256, weights: report });
    });
  }
}

/** A run folder means the same stage of that run. */
function fileOf(from: string, stage: string): string {
  const isFolder = statSync(from, { throwIfNoEntry: false })?.isDirectory();
  return weightsFile(isFolder ? `${from}:${stage}` : from);
}

function take(model: PretextModel, recipe: TimeBalanceRecipe, pretext: Pretext, file: string): WeightsReport {
  return importWeights(model, file, { channels: recipe.pretrain[pretext].fromChannels });
}

/** A network as the stage would begin with it: what the file lacks stays as it is drawn here. */
function withNetwork<T>(recipe: TimeBalanceRecipe, pretext: Pretext, use: (model: PretextModel) => T): T {
  return scope(() => {
    manualSeed(recipe.seed);
    const model = newPretextModel(recipe, recipe.pretrain[pretext].clipBatches);
    try {
      return use(model);
    } finally {
      model.dispose();
    }
  });
}

/** Weights of other programs' transformers are of normalised frames, which this method does not have. */
function checkPixelValues({ model }: TimeBalanceRecipe, { file, format }: WeightsReport): void {
  if (model.backbone !== 'space-time-vit' || format === 'chronotope') return;
  throw new ChronotopeError('weights-normalised', `${file} has weights of normalised frames`, {
    hint: 'TimeBalance sees values from 0 to 1: a space-time-vit can only start from another TimeBalance run.',
    details: { file, format },
  });
}

function checkProjectionHead(
  recipe: TimeBalanceRecipe,
  pretext: Pretext,
  { file, missing, mismatched }: WeightsReport,
): void {
  const asks = studentsOf(recipe).some(({ recipe: { similarity } }) => {
    return similarity.source === 'projection' && (similarity.teachers === 'both' || similarity.teachers === pretext);
  });
  const lacking = [...missing, ...mismatched.map(({ key }) => key)].find(
    (key) => key.startsWith('head.') && !key.endsWith('num_batches_tracked'),
  );
  if (pretext === 'student' || !asks || lacking === undefined) return;
  throw new ChronotopeError(
    'projection-head-missing',
    `${file} has no projection head that fits: ${lacking} is missing`,
    {
      hint: 'Similarity would be that of a random layer. Take another similarity.source, or a file with its head.',
      details: { file, key: lacking },
    },
  );
}
