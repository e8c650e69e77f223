import { createHash } from 'node:crypto';
import { type Device, scope, type Tensor, tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import { randomStream } from '../random.js';
import type { ClipReader } from './clip-reader.js';
import { type DrawnClip, drawViews, makeViews, planClips } from './make-views.js';
import type { ManifestEntry } from './manifest.js';
import type { ViewPlan } from './views.js';

/** N videos, each seen in the views of a plan. */
export interface Batch {
  /** The plan's views by name, float32 [...shape of the view, N, 3, T, S, S] in [0, 1], on the loader's device. */
  views: Record<string, Tensor>;
  /** Class numbers, int64 [N]; `null` unless all N videos are labelled. */
  labels: Tensor | null;
  ids: string[];
}

/** Settings of {@link ClipLoader}. */
export interface ClipLoaderOptions {
  entries: readonly ManifestEntry[];
  /** The classes in the order of their numbers. */
  classes: readonly string[];
  /** Where the clips come from; loaders may share one, which its owner closes. */
  reader: ClipReader;
  plan: ViewPlan;
  /** Side S of the square network input in pixels. */
  size: number;
  /** Videos in a batch. */
  batchSize: number;
  seed: number;
  /** A new random order in every epoch; otherwise the order of the entries. Default true. */
  shuffle?: boolean;
  /** Leaves out the last batch of an epoch if it is smaller than the others. Default false. */
  dropLast?: boolean;
  /** Where the clips are augmented and the batches live. Default `'cpu'`. */
  device?: Device;
}

/** A video as the network gets it, and how it came about. */
export interface InspectedVideo {
  clips: DrawnClip[];
  /** The batch of this video alone. */
  batch: Batch;
}

/** A video that the loader leaves out, and why. */
export interface ExcludedVideo {
  id: string;
  reason: string;
}

/** One occurrence of a video in a batch. */
interface Sample {
  video: LoadedVideo;
  epoch: number;
}

interface LoadedVideo {
  id: string;
  classIndex: number | null;
  /** Names the video in the keys of its random numbers, independent of the other videos in the set. */
  key: number;
}

/**
 * Makes batches of augmented clips from decoded videos.
 *
 * Every random number depends on (seed, epoch, video, view) alone: a batch is the same whatever was asked for before,
 * and what a video contributes does not change when others join or leave the set.
 */
export class ClipLoader {
  /** Videos too short for the plan. */
  readonly excluded: readonly ExcludedVideo[];
  readonly batchSize: number;
  readonly #options: ClipLoaderOptions;
  readonly #device: Device;
  readonly #videos: LoadedVideo[] = [];
  #order: { epoch: number; positions: number[] } | null = null;
  #seconds = 0;

  /**
   * @throws ChronotopeError `no-usable-videos`; `batch-too-large` when dropping the last batch leaves none;
   *   `unknown-class`; `video-not-stored`
   */
  constructor(options: ClipLoaderOptions) {
    this.#options = options;
    this.#device = options.device ?? 'cpu';
    this.batchSize = options.batchSize;
    const excluded: ExcludedVideo[] = [];
    for (const entry of options.entries) {
      const stored = options.reader.info(entry.id);
      if (planClips(options.plan, stored, { seed: 0, epoch: 0, video: 0 }) === null) {
        excluded.push({ id: entry.id, reason: `too short: ${stored.frames} frames` });
      } else {
        this.#videos.push({ id: entry.id, classIndex: this.#classIndex(entry), key: videoKey(entry.id) });
      }
    }
    this.excluded = excluded;
    this.#checkEnoughVideos();
  }

  /** Number of videos in an epoch. */
  get videos(): number {
    return this.#videos.length;
  }

  get batchesPerEpoch(): number {
    const batches = this.#videos.length / this.batchSize;
    return this.#options.dropLast === true ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Time spent in making batches so far. */
  get seconds(): number {
    return this.#seconds;
  }

  /** Batch number `index` of an epoch; both count from 0. */
  batch(epoch: number, index: number): Batch {
    if (!(index >= 0 && index < this.batchesPerEpoch)) {
      throw new RangeError(`batch ${index} of an epoch of ${this.batchesPerEpoch}`);
    }
    const positions = this.#epochOrder(epoch).slice(index * this.batchSize, (index + 1) * this.batchSize);
    return this.#make(positions.map((position) => ({ video: this.#videos[position]!, epoch })));
  }

  /** The batches of an epoch in order. Each is freed when the next is asked for. */
  *batches(epoch: number): Generator<Batch, void, void> {
    for (let index = 0; index < this.batchesPerEpoch; index++) {
      const batch = this.batch(epoch, index);
      try {
        yield batch;
      } finally {
        disposeBatch(batch);
      }
    }
  }

  /**
   * The batch of an optimiser step, for training that counts steps: always full, running on from one epoch into the
   * next, so that a set smaller than a batch serves too.
   */
  stepBatch(step: number): Batch {
    const samples = Array.from({ length: this.batchSize }, (_, offset): Sample => {
      const count = step * this.batchSize + offset;
      const epoch = Math.floor(count / this.#videos.length);
      const position = this.#epochOrder(epoch)[count % this.#videos.length]!;
      return { video: this.#videos[position]!, epoch };
    });
    return this.#make(samples);
  }

  /**
   * What one video contributes to an epoch, with every choice that was drawn for it.
   *
   * @throws RangeError for a video that is not in the set
   */
  inspect(id: string, epoch: number): InspectedVideo {
    const video = this.#videos.find((one) => one.id === id);
    if (video === undefined) throw new RangeError(`the video "${id}" is not in the set`);
    const sample = { video, epoch };
    return { clips: this.#draw(sample), batch: this.#make([sample]) };
  }

  #make(samples: readonly Sample[]): Batch {
    const started = performance.now();
    const batch = scope(() => ({
      views: makeViews(
        this.#options.reader,
        samples.map((sample) => ({ id: sample.video.id, clips: this.#draw(sample) })),
        this.#device,
      ),
      labels: this.#labels(samples),
      ids: samples.map(({ video }) => video.id),
    }));
    this.#seconds += (performance.now() - started) / 1000;
    return batch;
  }

  #draw({ video, epoch }: Sample): DrawnClip[] {
    const { reader, plan, size, seed } = this.#options;
    return drawViews(plan, reader.info(video.id), size, { seed, epoch, video: video.key })!;
  }

  #labels(samples: readonly Sample[]): Tensor | null {
    const labels = samples.flatMap(({ video }) => (video.classIndex === null ? [] : [BigInt(video.classIndex)]));
    return labels.length === samples.length ? tensor(BigInt64Array.from(labels), { device: this.#device }) : null;
  }

  #epochOrder(epoch: number): number[] {
    if (this.#order?.epoch !== epoch) {
      const { seed, shuffle = true } = this.#options;
      const count = this.#videos.length;
      this.#order = {
        epoch,
        positions: shuffle ? randomStream(seed, 'order', epoch).permutation(count) : [...Array(count).keys()],
      };
    }
    return this.#order.positions;
  }

  #classIndex({ id, label }: ManifestEntry): number | null {
    if (label === null) {
      return null;
    }
    const index = this.#options.classes.indexOf(label);
    if (index < 0) {
      throw new ChronotopeError('unknown-class', `the video "${id}" has the label "${label}", which is no class`, {
        hint: `The classes are ${this.#options.classes.map((name) => `"${name}"`).join(', ')}.`,
        details: { id, label, classes: [...this.#options.classes] },
      });
    }
    return index;
  }

  #checkEnoughVideos(): void {
    const { length } = this.#videos;
    if (length === 0) {
      const details = { excluded: this.excluded };
      throw new ChronotopeError('no-usable-videos', noVideosMessage(this.excluded), {
        hint: 'Shorter clips (fewer frames or a smaller stride) accept shorter videos.',
        details,
      });
    }
    if (this.batchesPerEpoch === 0) {
      throw new ChronotopeError('batch-too-large', `batches of ${this.batchSize} videos from a set of ${length}`, {
        hint: `Ask for batches of at most ${length} videos.`,
        details: { batchSize: this.batchSize, videos: length },
      });
    }
  }
}

/** Frees the tensors of a batch. */
export function disposeBatch({ views, labels }: Batch): void {
  for (const tensor of [...Object.values(views), labels]) {
    tensor?.dispose();
  }
}

function videoKey(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32LE(0);
}

function noVideosMessage(excluded: readonly ExcludedVideo[]): string {
  return excluded.length === 0
    ? 'no videos to load'
    : `none of the ${excluded.length} videos can be used; the first, "${excluded[0]!.id}", is ${excluded[0]!.reason}`;
}
