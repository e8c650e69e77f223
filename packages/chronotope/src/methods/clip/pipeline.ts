import { manualSeed } from '@chronotope/torch';
import { ClipLoader } from '../../data/loader.js';
import type { ManifestEntry } from '../../data/manifest.js';
import { ChronotopeError } from '../../errors.js';
import { ClipTokenizer } from '../../language/tokenizer.js';
import { Clip, loadClip } from '../../models/clip/index.js';
import type { ClipShape } from '../../models/clip/shape.js';
import type { ClipRecipe } from '../../recipes/clip.js';
import { shard } from '../../training/processes.js';
import { partOfBatch } from '../../training/settings.js';
import { trainStage } from '../../training/train-stage.js';
import type { RepresentationRun } from '../method-run.js';
import type { TestSource, TestViews } from '../trained-method.js';
import { captionRows, clipTraining } from './training.js';
import { evaluationPlan, trainingPlan } from './view-plans.js';

/** The only stage of a run. */
export const PRETRAIN = 'pretrain';

/** What the pipeline works with. */
export interface ClipRun extends Omit<RepresentationRun<ClipRecipe>, 'classes'> {
  /** The training videos; those with a `text` are learnt from. */
  videos: readonly ManifestEntry[];
}

/**
 * Trains a CLIP on single frames of videos and the captions of the videos. A finished stage is left as it is.
 *
 * @throws ChronotopeError `no-captions` if not even two videos have one; `batch-not-divisible`; `weights-differ` if the weights to start from
 *   are of another shape
 */
export async function runClip(run: ClipRun): Promise<void> {
  const { recipe, reader, workers, device, progress, saveEverySeconds, signal } = run;
  const videos = withCaption(run);
  manualSeed(recipe.seed);
  const clip = newClip(recipe).to({ device });
  await trainStage(run.stage(PRETRAIN), clip, () => {
    startFromGivenWeights(clip, recipe);
    const loader = new ClipLoader({
      // Nothing is learnt from labels, and what has none shall train as well.
      entries: videos.map((video) => ({ ...video, label: null })),
      classes: [],
      reader,
      plan: trainingPlan(recipe),
      size: recipe.inputSize,
      batchSize: partOfBatch(recipe.train.batch, recipe.training),
      seed: recipe.seed,
      shard: shard(),
      workers,
      device,
    });
    for (const { id, reason } of loader.excluded) progress.note(`  left out: ${id}: ${reason}`);
    const { context, vocabulary } = recipe.model.text;
    const captions = captionRows(videos, new ClipTokenizer({ vocabulary }), context);
    const training = clipTraining(clip, loader, captions, recipe);
    const settings = recipe.training;
    const title = 'CLIP on frames and captions';
    return { title, progress, signal, saveEverySeconds, settings, hparams: recipe, ...training };
  });
  clip.dispose();
}

/** A network of the shape that the recipe describes, with random weights. */
export function newClip({ inputSize, model }: ClipRecipe): Clip {
  const { patch, embedding, image, text, activation } = model;
  const shape: ClipShape = { embedding, image: { ...image, patch, resolution: inputSize }, text, activation };
  return new Clip(shape);
}

/** A loader of test clips: single frames, evenly spread over each video. */
export function testLoader(
  recipe: Pick<ClipRecipe, 'inputSize' | 'seed' | 'evaluation'>,
  source: TestSource,
  views: TestViews = {},
): ClipLoader {
  const plan = evaluationPlan(recipe, views);
  return new ClipLoader({ ...source, plan, size: recipe.inputSize, batchSize: 16, seed: recipe.seed, shuffle: false });
}

function withCaption({ videos, progress }: ClipRun): ManifestEntry[] {
  const captioned = videos.filter(({ text }) => text !== undefined);
  if (captioned.length < 2) {
    const most = captioned.length === 0 ? 'none' : 'only one';
    throw new ChronotopeError('no-captions', `${most} of the ${videos.length} training videos has a caption`, {
      hint:
        'Write sentences about the videos into captions.jsonl beside the class folders, {"path": …, "text": …} a line, ' +
        'or give a list with a column text.',
      details: { videos: videos.length, captions: captioned.length },
    });
  }
  const without = videos.length - captioned.length;
  if (without > 0) progress.note(`  note: ${without} training videos have no caption and are left out`);
  return captioned;
}

function startFromGivenWeights(clip: Clip, { model }: ClipRecipe): void {
  if (model.pretrained === null) return;
  const { image, text } = clip.shape;
  const { clip: given } = loadClip(model.pretrained, {
    imageHeads: image.heads,
    textHeads: text.heads,
    activation: model.activation,
  });
  try {
    clip.loadStateDict(given.stateDict());
  } catch (cause) {
    throw new ChronotopeError(
      'weights-differ',
      `${model.pretrained} is a CLIP of another shape: ${(cause as Error).message}`,
      { hint: 'Give the recipe the shape of that CLIP: chronotope weights inspect says what it is.', cause },
    );
  } finally {
    given.dispose();
  }
}
