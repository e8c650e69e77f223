import { cat, distributed, keep, nn, noGrad, optim, scope, type Tensor } from '@chronotope/torch';
import type { CclEncoder, Embeddings } from './encoder.js';
import { KeyQueue } from './key-queue.js';
import { withShuffledBatches } from './shuffle-batch-norm.js';

/** Lengths of the queues; `cycle` is null where both losses use one queue. */
export interface QueueLengths {
  intra: number;
  cycle: number | null;
}

/** Keys of a batch, unit vectors without gradient. */
export interface Keys {
  /** `[N, C]`, of the second crops. */
  key: Embeddings;
  /** `[Kc, N, C]`, of the candidate frames; null if there are none. */
  candidates: Embeddings | null;
}

/**
 * The query encoder, which is trained, the momentum encoder, which follows it, and the queues of past keys (MoCo; CCL's
 * note 1.2).
 */
export class CclModel<Encoder extends CclEncoder = CclEncoder> extends nn.Module {
  readonly query: Encoder;
  readonly key: Encoder;
  readonly queue: KeyQueue;
  /** `null` where both losses use {@link queue}. */
  readonly cycleQueue: KeyQueue | null;
  /** Keys of the parts of a step that have been computed. */
  #held: { keys: Embeddings; videos: Tensor }[] = [];

  /** @param key of the same architecture as `query`; it becomes a copy of it */
  constructor(query: Encoder, key: Encoder, dimensions: number, lengths: QueueLengths) {
    super();
    this.query = query;
    this.key = key;
    this.queue = new KeyQueue(dimensions, lengths.intra);
    this.cycleQueue = lengths.cycle === null ? null : new KeyQueue(dimensions, lengths.cycle);
    this.startKeyEncoder();
    key.freeze();
  }

  /** Makes the momentum encoder a copy of the query encoder, as at the start of training. */
  startKeyEncoder(): void {
    scope(() => void this.key.loadStateDict(this.query.stateDict()));
  }

  /** The queries of images `[N, 3, S, S]`. */
  override forward(images: Tensor): Embeddings {
    return this.query.call(images);
  }

  /**
   * θ_k ← m θ_k + (1 − m) θ_q over the parameters. The momentum encoder's running batch statistics are its own.
   */
  updateKeyEncoder(momentum: number): void {
    optim.updateAverages_(this.key.parameters(), this.query.parameters(), momentum);
  }

  /**
   * The keys of second crops and candidate frames, all in one batch.
   *
   * @param key `[N, 3, S, S]`
   * @param candidates `[Kc, N, 3, S, S]`, or null
   * @param imageOrder for several ranks; null leaves their batches as they are
   */
  encodeKeys(key: Tensor, candidates: Tensor | null, imageOrder: readonly number[] | null): Keys {
    return scope(() =>
      noGrad(() => {
        const images = candidates ? cat([key, candidates.flatten({ startDim: 0, endDim: 1 })]) : key;
        // Shared heads give one tensor twice; it is gathered once then.
        const encode = (shuffled: Tensor): Record<string, Tensor> => {
          const { intra, cycle } = this.key.call(shuffled);
          return this.key.cycleHead ? { intra, cycle } : { intra };
        };
        const { intra, cycle = intra } = imageOrder ? withShuffledBatches(images, imageOrder, encode) : encode(images);
        const videos = key.shape[0]!;
        const part = (start: number, count: number): Embeddings => ({
          intra: intra!.narrow(0, start, count),
          cycle: cycle!.narrow(0, start, count),
        });
        if (!candidates) return { key: part(0, videos), candidates: null };
        const frames = candidates.shape[0]!;
        const ofFrames = part(videos, frames * videos);
        const byFrame = (keys: Tensor) => keys.reshape([frames, videos, -1]);
        return {
          key: part(0, videos),
          candidates: { intra: byFrame(ofFrames.intra), cycle: byFrame(ofFrames.cycle) },
        };
      }),
    );
  }

  /**
   * Takes the keys of the second crops for the queues; never those of candidates.
   *
   * @param videos int64 `[N]`, their videos
   */
  hold({ intra, cycle }: Embeddings, videos: Tensor): void {
    const kept = keep(intra);
    this.#held.push({ keys: { intra: kept, cycle: cycle === intra ? kept : keep(cycle) }, videos: keep(videos) });
  }

  /** Puts the keys that were held, of all ranks, into the queues. */
  enqueueHeld(): void {
    scope(() => {
      const ofAll = (values: Tensor) => (distributed.worldSize() === 1 ? values : distributed.allGather(values));
      for (const { keys, videos } of this.#held) {
        const allVideos = ofAll(videos);
        this.queue.enqueue(ofAll(keys.intra), allVideos);
        this.cycleQueue?.enqueue(ofAll(keys.cycle), allVideos);
        for (const held of [keys.intra, keys.cycle, videos]) held.dispose();
      }
      this.#held = [];
    });
  }
}
