import { scope, stack, type Tensor } from '@chronotope/torch';
import { sequenceSizes, startReadingFrames, type TrackingSequence } from '../../data/tracking-sequences.js';
import { ChronotopeError } from '../../errors.js';
import { randomStream } from '../../random.js';
import { drawPair, usableFrames } from './pairs.js';
import { type TrainingViewSettings, trainingView } from './training-view.js';

/** Settings of a {@link PairLoader}. */
export interface PairLoaderOptions {
  views: TrainingViewSettings;
  /** Pairs of a step. */
  batch: number;
  /** Pairs that an epoch draws from each sequence. */
  perSequence: number;
  seed: number;
}

/** Pairs of training images: float32 `[N, 3, size, size]`, values from 0 to 255. */
export interface PairBatch {
  exemplars: Tensor;
  searches: Tensor;
  /** Where the objects are in the search images, relative to the middle, in pixels. */
  offsets: (readonly [x: number, y: number])[];
  /** The sequences they are from. */
  ids: string[];
}

/** A pair before its images are read. */
interface Pair {
  sequence: TrackingSequence;
  frames: [exemplar: number, search: number];
}

/**
 * Draws batches of training pairs. A batch depends on the seed and its number alone, so a resumed run sees the same ones;
 * the images of the next batch are decoded while the last one is used. The incomplete last batch of an epoch is left out.
 */
export class PairLoader {
  readonly #options: PairLoaderOptions;
  readonly #sequences: { sequence: TrackingSequence; usable: number[] }[];
  #ahead: { step: number; wait: () => Tensor[] } | null = null;
  /** Sequences with fewer than two frames that can be trained with. */
  readonly leftOut: string[];

  /** @throws ChronotopeError `too-few-pairs` when not even one batch is left; VideoError `undecodable` */
  constructor(sequences: readonly TrackingSequence[], options: PairLoaderOptions) {
    const sizes = sequenceSizes(sequences);
    const all = sequences.map((sequence, k) => ({ sequence, usable: usableFrames(sequence, sizes[k]!) }));
    this.#sequences = all.filter(({ usable }) => usable.length >= 2);
    this.leftOut = all.flatMap(({ sequence, usable }) => (usable.length >= 2 ? [] : [sequence.id]));
    this.#options = options;
    if (this.stepsPerEpoch > 0) return;
    const { batch, perSequence } = options;
    const found = `${this.#sequences.length} usable sequences give ${this.#sequences.length * perSequence} pairs an epoch`;
    throw new ChronotopeError('too-few-pairs', `${found}, less than a batch of ${batch}`, {
      hint: 'Give more sequences, or set pairs.perSequence higher or pairs.batch lower.',
      details: { leftOut: this.leftOut },
    });
  }

  get stepsPerEpoch(): number {
    const { batch, perSequence } = this.#options;
    return Math.floor((this.#sequences.length * perSequence) / batch);
  }

  /** The batch of a step, counted from 0. */
  stepBatch(step: number): PairBatch {
    const pairs = this.pairsOf(step);
    const images = (this.#ahead?.step === step ? this.#ahead.wait : this.startReading(pairs))();
    this.#ahead = { step: step + 1, wait: this.startReading(this.pairsOf(step + 1)) };
    return scope(() => {
      const views = pairs.map(({ sequence, frames }, k) =>
        (['exemplar', 'search'] as const).map((kind, which) => {
          const random = randomStream(this.#options.seed, `siamfc-${kind}`, step, k);
          return trainingView(
            images[2 * k + which]!,
            sequence.boxes[frames[which]!]!,
            kind,
            this.#options.views,
            random,
          );
        }),
      );
      for (const image of images) image.dispose();
      return {
        exemplars: stack(views.map(([exemplar]) => exemplar!.image)),
        searches: stack(views.map(([, search]) => search!.image)),
        offsets: views.map(([, search]) => search!.offset),
        ids: pairs.map(({ sequence }) => sequence.id),
      };
    });
  }

  private pairsOf(step: number): Pair[] {
    const { batch, perSequence, seed } = this.#options;
    const epoch = Math.floor(step / this.stepsPerEpoch);
    const first = (step % this.stepsPerEpoch) * batch;
    const order = randomStream(seed, 'siamfc-order', epoch).permutation(this.#sequences.length * perSequence);
    return order.slice(first, first + batch).map((place) => {
      const { sequence, usable } = this.#sequences[place % this.#sequences.length]!;
      return { sequence, frames: drawPair(usable, randomStream(seed, 'siamfc-pair', epoch, place)) };
    });
  }

  private startReading(pairs: readonly Pair[]): () => Tensor[] {
    return startReadingFrames(pairs.flatMap(({ sequence, frames }) => frames.map((frame) => sequence.frames[frame]!)));
  }
}
