import { arange, full, nn, noGrad, randn, scope, type Tensor, zeros } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';

/** What {@link KeyQueue} gives instead of a video for the random vectors it starts with. */
const NO_VIDEO = -1;

/**
 * The last keys that the momentum encoder made, oldest entries overwritten first (MoCo, CCL's note 2.6), and the video
 * that each is of. It starts with random directions. Everything is a buffer, so checkpoints hold it.
 */
export class KeyQueue extends nn.Module {
  /** `[C, K]` unit columns. */
  readonly keys: Tensor;
  /** Number of the video of each column, int64 `[K]`; -1 for the vectors of the start. */
  readonly videos: Tensor;
  /** The column to be overwritten next, int64 `[1]`. */
  readonly pointer: Tensor;

  constructor(dimensions: number, length: number) {
    super();
    this.keys = scope(() =>
      this.registerBuffer('keys', nn.functional.normalize(randn([dimensions, length]), { dim: 0 })),
    );
    this.videos = this.registerBuffer('videos', full([length], NO_VIDEO, { dtype: 'int64' }));
    this.pointer = this.registerBuffer('pointer', zeros([1], { dtype: 'int64' }));
  }

  /** Number of keys, K. */
  get length(): number {
    return this.keys.shape[1]!;
  }

  /** A copy of the keys: autograd holds on to it while the queue moves on. */
  override forward(): Tensor {
    return this.keys.clone();
  }

  /**
   * Marks the entries of each query's own video.
   *
   * @param videos int64 `[N]`
   * @returns bool `[N, K]`
   */
  ofSameVideo(videos: Tensor): Tensor {
    return videos.unsqueeze(1).eq(this.videos.unsqueeze(0));
  }

  /**
   * Overwrites the oldest entries.
   *
   * @param keys `[B, C]` unit vectors of all ranks, in the order of the ranks
   * @param videos int64 `[B]`
   * @throws ChronotopeError `queue-not-divisible` when the length is no multiple of B
   */
  enqueue(keys: Tensor, videos: Tensor): void {
    const count = keys.shape[0]!;
    requireDivisible(this.length, count);
    noGrad(() => {
      const columns = arange(0, count, { dtype: 'int64', device: keys.device }).add(this.pointer);
      this.keys.indexCopy_(1, columns, keys.detach().transpose(0, 1));
      this.videos.indexCopy_(0, columns, videos);
      this.pointer.copy_(this.pointer.add(count).remainder(this.length));
    });
  }
}

/** @throws ChronotopeError `queue-not-divisible` */
export function requireDivisible(length: number, batch: number): void {
  if (length % batch === 0) return;
  throw new ChronotopeError(
    'queue-not-divisible',
    `a queue of ${length} keys cannot be filled by batches of ${batch}`,
    {
      hint: `Make the length a multiple of the batch, such as ${Math.max(1, Math.round(length / batch)) * batch}.`,
      details: { length, batch },
    },
  );
}
