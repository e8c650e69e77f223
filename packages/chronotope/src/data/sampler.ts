import { ChronotopeError } from '../errors.js';
import { randomStream } from '../random.js';

/** Which part of every batch one of several processes makes. */
export interface Shard {
  /** Number of this process, from 0. */
  rank: number;
  /** Number of processes. */
  worldSize: number;
}

export interface BatchSamplerOptions {
  /** The class number of each video, or null where it is unlabelled; videos are known by their place in this list. */
  classes: readonly (number | null)[];
  /** Videos in a batch, over all processes. */
  batchSize: number;
  seed: number;
  /** A new random order in every epoch; otherwise the order of the list. Default true. */
  shuffle?: boolean;
  /** Leaves out the last batch of an epoch if it is smaller than the others. Default false. */
  dropLast?: boolean;
  /**
   * Every class equally often, whatever its number of videos; those without a label count as one more class. An epoch
   * has as many places as before, so it repeats videos of small classes and leaves out some of large ones, others in
   * every epoch. Default false.
   */
  balanced?: boolean;
  /** Default: one process, which makes whole batches. */
  shard?: Shard;
}

/** One place in the order of an epoch, and the video that takes it. */
export interface Place {
  epoch: number;
  /** Place in the order of the epoch, from 0. */
  position: number;
  /** Place of the video in the list of videos. */
  video: number;
  /**
   * Tells the occurrences of a video in an epoch apart: 0 where it is the video's first turn, else 1 + the position at
   * which it comes again or stands in for a damaged video.
   */
  turn: number;
}

const KEPT_ORDERS = 2;

/**
 * Decides which videos make a batch. Every answer is a function of the options and what is asked for, not of what was
 * asked before; the ranks' shares of a batch, put together in order of rank, are the batch of a single process.
 */
export class BatchSampler {
  readonly #options: BatchSamplerOptions;
  readonly #shard: Shard;
  /** Of the last epochs that were asked for: batches made ahead go back and forth between two. */
  readonly #orders = new Map<number, Place[]>();
  #classMembers: Map<number | null, number[]> | null = null;

  /** @throws ChronotopeError `batch-too-large` when dropping the last batch leaves none; `batch-not-divisible` */
  constructor(options: BatchSamplerOptions) {
    this.#options = options;
    this.#shard = options.shard ?? { rank: 0, worldSize: 1 };
    this.#checkBatches();
  }

  get batchesPerEpoch(): number {
    const { classes, batchSize, dropLast = false } = this.#options;
    const batches = classes.length / batchSize;
    return dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /**
   * This process's share of batch `index` of an epoch; both count from 0. The last batch of an epoch may be smaller
   * than the others, the shares of it then differ by one video at most and may be empty.
   *
   * @throws RangeError for a batch that the epoch does not have
   */
  epochBatch(epoch: number, index: number): Place[] {
    if (!(index >= 0 && index < this.batchesPerEpoch)) {
      throw new RangeError(`batch ${index} of an epoch of ${this.batchesPerEpoch}`);
    }
    const { batchSize } = this.#options;
    return this.#share(this.#epochOrder(epoch).slice(index * batchSize, (index + 1) * batchSize));
  }

  /**
   * This process's share of the batch of an optimiser step: batches are always full and run on from one epoch into the
   * next, so a set smaller than a batch serves too.
   */
  stepBatch(step: number): Place[] {
    const { classes, batchSize } = this.#options;
    return this.#share(Array.from({ length: batchSize }, (_, offset) => step * batchSize + offset)).map((count) => {
      const epoch = Math.floor(count / classes.length);
      return this.#epochOrder(epoch)[count % classes.length]!;
    });
  }

  /**
   * Another video in the same place, of the same class if there is one: a function of the seed, the place and the videos
   * that are usable.
   *
   * @returns null when no video is usable
   */
  standIn(place: Place, usable: (video: number) => boolean): Place | null {
    const { classes, seed } = this.#options;
    const { epoch, position, video } = place;
    const random = randomStream(seed, 'stand-in', epoch, position);
    const sameClass = this.#members().get(classes[video]!)!;
    const found = firstFrom(random.int(sameClass.length), sameClass.length, (k) => usable(sameClass[k]!));
    const chosen = found === null ? firstFrom(random.int(classes.length), classes.length, usable) : sameClass[found]!;
    return chosen === null ? null : { epoch, position, video: chosen, turn: position + 1 };
  }

  #share<T>(batch: readonly T[]): T[] {
    const { rank, worldSize } = this.#shard;
    const cut = (part: number): number => Math.floor((batch.length * part) / worldSize);
    return batch.slice(cut(rank), cut(rank + 1));
  }

  #epochOrder(epoch: number): Place[] {
    const known = this.#orders.get(epoch);
    if (known !== undefined) return known;
    const seen = new Set<number>();
    const places = this.#videosInOrder(epoch).map((video, position) => {
      const turn = seen.has(video) ? position + 1 : 0;
      seen.add(video);
      return { epoch, position, video, turn };
    });
    if (this.#orders.size === KEPT_ORDERS) this.#orders.delete(this.#orders.keys().next().value!);
    this.#orders.set(epoch, places);
    return places;
  }

  #videosInOrder(epoch: number): number[] {
    const { classes, seed, shuffle = true, balanced = false } = this.#options;
    if (balanced) return this.#balancedOrder(epoch);
    return shuffle ? randomStream(seed, 'order', epoch).permutation(classes.length) : [...classes.keys()];
  }

  /** Rounds of one video of each class; a class starts over in a new order when its videos have been used. */
  #balancedOrder(epoch: number): number[] {
    const { classes, seed, shuffle = true } = this.#options;
    const random = randomStream(seed, 'balanced order', epoch);
    const inOrder = (length: number): number[] => (shuffle ? random.permutation(length) : [...Array(length).keys()]);
    const groups = [...this.#members().values()].map((members) => ({ members, waiting: [] as number[] }));
    const order: number[] = [];
    while (order.length < classes.length) {
      for (const index of inOrder(groups.length)) {
        const group = groups[index]!;
        if (group.waiting.length === 0) group.waiting = inOrder(group.members.length).reverse();
        order.push(group.members[group.waiting.pop()!]!);
      }
    }
    return order.slice(0, classes.length);
  }

  #members(): Map<number | null, number[]> {
    if (this.#classMembers === null) {
      this.#classMembers = new Map();
      for (const [video, label] of this.#options.classes.entries()) {
        const members = this.#classMembers.get(label);
        if (members === undefined) this.#classMembers.set(label, [video]);
        else members.push(video);
      }
    }
    return this.#classMembers;
  }

  #checkBatches(): void {
    const { classes, batchSize } = this.#options;
    const { rank, worldSize } = this.#shard;
    if (!(rank >= 0 && rank < worldSize)) throw new RangeError(`rank ${rank} of ${worldSize} processes`);
    if (batchSize % worldSize !== 0) {
      throw new ChronotopeError('batch-not-divisible', `batches of ${batchSize} videos for ${worldSize} processes`, {
        hint: `The batch size counts the videos of all processes: take a multiple of ${worldSize}.`,
        details: { batchSize, worldSize },
      });
    }
    if (this.batchesPerEpoch === 0) {
      throw new ChronotopeError('batch-too-large', `batches of ${batchSize} videos from a set of ${classes.length}`, {
        hint: `Ask for batches of at most ${classes.length} videos.`,
        details: { batchSize, videos: classes.length },
      });
    }
  }
}

/** The first of `start`, `start + 1`, …, counted round `length`, that fits; null if none does. */
function firstFrom(start: number, length: number, fits: (index: number) => boolean): number | null {
  for (let k = 0; k < length; k++) {
    const index = (start + k) % length;
    if (fits(index)) return index;
  }
  return null;
}
