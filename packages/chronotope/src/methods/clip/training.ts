import { arange, autocast, nn, noGrad, optim, type Tensor, tensor } from '@chronotope/torch';
import type { ClipLoader } from '../../data/loader.js';
import type { ManifestEntry } from '../../data/manifest.js';
import type { ClipTokenizer } from '../../language/tokenizer.js';
import { clipLoss } from '../../losses/clip.js';
import type { Clip } from '../../models/clip/clip.js';
import type { ClipRecipe } from '../../recipes/clip.js';
import { gatherSamples } from '../../training/data-parallel.js';
import type { FitOptions, StepLoss } from '../../training/fit.js';
import { namedSchedule } from '../../training/schedule.js';

type Batch = ReturnType<ClipLoader['stepBatch']>;

/** The part of {@link FitOptions} that the method decides. */
export interface ClipTraining
  extends Pick<FitOptions<Batch>, 'steps' | 'optimizer' | 'schedule' | 'batch' | 'loss' | 'afterStep'> {
  /** Where the batches come from. */
  loaders: readonly ClipLoader[];
}

/** The captions of videos as rows of tokens, int64 `[context]`, by the ids of the videos. Long ones are cut. */
export function captionRows(
  videos: readonly ManifestEntry[],
  tokenizer: ClipTokenizer,
  context: number,
): ReadonlyMap<string, BigInt64Array> {
  const texts = videos.map(({ text }) => text!);
  const rows = tokenizer.rows(texts, { context, tooLong: 'truncate' });
  const tokens = rows.data() as BigInt64Array;
  rows.dispose();
  return new Map(videos.map(({ id }, k) => [id, tokens.subarray(k * context, (k + 1) * context)]));
}

/**
 * CLIP's training (Radford et al., ICML 2021, section 2): symmetric InfoNCE between one frame of each video of a batch and
 * the captions of these videos, AdamW, a learnt scale of the logits that is kept below a largest one.
 *
 * @param captions rows of tokens by the ids of the loader's videos
 */
export function clipTraining(
  clip: Clip,
  loader: ClipLoader,
  captions: ReadonlyMap<string, BigInt64Array>,
  { train, training }: Pick<ClipRecipe, 'train' | 'training'>,
): ClipTraining {
  const { epochs, batch, warmupEpochs, largestScale } = train;
  const stepsPerEpoch = Math.ceil(loader.videos / batch);
  const steps = epochs * stepsPerEpoch;
  return {
    steps,
    optimizer: optimizerOf(clip, train),
    schedule: namedSchedule(training.schedule, { steps, warmupSteps: Math.round(warmupEpochs * stepsPerEpoch) }),
    loaders: [loader],
    batch: (step) => loader.stepBatch(step),
    loss: ({ views, ids }): StepLoss => {
      const images = clip.visual.call(views.clip!.squeeze(2));
      const texts = clip.text.call(rowsOf(ids, captions).to({ device: images.device }));
      // Each image is told apart from the texts of the whole batch, whose samples several processes may share.
      const directions = (x: Tensor) => gatherSamples(nn.functional.normalize(x.to({ dtype: 'float32' })), 0);
      const device = images.device.startsWith('cuda') ? 'cuda' : 'cpu';
      return autocast({ device, enabled: false }, () => {
        const scale = clip.logitScale.exp();
        const { loss, logits } = clipLoss(directions(images), directions(texts), scale);
        return { loss, metrics: { matched: shareMatched(logits), scale }, ids };
      });
    },
    afterStep: () => noGrad(() => clip.logitScale.clampMax_(Math.log(largestScale))),
  };
}

/** Gains, offsets, and the scale of the logits are not pulled towards 0. */
function optimizerOf(clip: Clip, { learningRate: lr, weightDecay, betas }: ClipRecipe['train']): optim.AdamW {
  const decayed = clip.parameters().filter(({ ndim }) => ndim >= 2);
  const others = clip.parameters().filter(({ ndim }) => ndim < 2);
  const groups = [{ params: decayed }, { params: others, weightDecay: 0 }];
  return new optim.AdamW(groups, { lr, betas, weightDecay, eps: 1e-6 });
}

/** int64 `[N, context]` */
function rowsOf(ids: readonly string[], captions: ReadonlyMap<string, BigInt64Array>): Tensor {
  const rows = ids.map((id) => captions.get(id)!);
  const context = rows[0]!.length;
  const tokens = new BigInt64Array(rows.length * context);
  for (const [k, row] of rows.entries()) tokens.set(row, k * context);
  return tensor(tokens, { shape: [rows.length, context] });
}

/** Share of the images whose own text is the nearest of the batch. */
function shareMatched(logits: Tensor): Tensor {
  const own = arange(logits.shape[0]!, undefined, { dtype: 'int64', device: logits.device });
  return logits.argmax(1).eq(own).to({ dtype: 'float32' }).mean();
}
