import { createHash } from 'node:crypto';
import { type Device, scope, type Tensor, tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import type { ClipReader } from './clip-reader.js';
import type { ClipWorkers } from './clip-workers.js';
import { type DamagedVideo, DamagedVideos, type SkippedSample } from './damaged-videos.js';
import { type DrawnClip, type DrawnVideo, drawViews, makeViews, planClips } from './make-views.js';
import type { ManifestEntry } from './manifest.js';
import { Prefetcher } from './prefetcher.js';
import { BatchSampler, type BatchSamplerOptions, type Place } from './sampler.js';
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
export interface ClipLoaderOptions extends Omit<BatchSamplerOptions, 'classes'> {
  entries: readonly ManifestEntry[];
  /** The classes in the order of their numbers. */
  classes: readonly string[];
  /** Where the clips come from; loaders may share one, which its owner closes. */
  reader: ClipReader;
  plan: ViewPlan;
  /** Side S of the square network input in pixels. */
  size: number;
  /** Where the clips are augmented and the batches live. Default `'cpu'`. */
  device?: Device;
  /**
   * Threads that make the batches of {@link ClipLoader.prepare} ahead of time; their owner disposes them. Default: none.
   * Only on the CPU: an accelerator augments by itself while the processor is free.
   */
  workers?: ClipWorkers | null;
  /** Batches that the workers may be ahead. Default: two for each worker. */
  ahead?: number;
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
 *
 * A video whose stored frames turn out to be damaged is never the end and never silent: training gets another video in
 * its place, evaluation goes without it, and both list it.
 */
export class ClipLoader {
  /** Videos too short for the plan. */
  readonly excluded: readonly ExcludedVideo[];
  readonly #options: ClipLoaderOptions;
  readonly #device: Device;
  readonly #videos: LoadedVideo[] = [];
  readonly #sampler: BatchSampler;
  readonly #damaged = new DamagedVideos();
  readonly #prefetcher: Prefetcher | null;
  readonly #ahead: number;
  #seconds = 0;

  /**
   * @throws ChronotopeError `no-usable-videos`, `unknown-class`, `video-not-stored`, and those of {@link BatchSampler}
   */
  constructor(options: ClipLoaderOptions) {
    this.#options = options;
    this.#device = options.device ?? 'cpu';
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
    if (this.#videos.length === 0) throw noUsableVideos(excluded, []);
    this.#sampler = new BatchSampler({ ...options, classes: this.#videos.map(({ classIndex }) => classIndex) });
    const workers = this.#device === 'cpu' ? (options.workers ?? null) : null;
    this.#prefetcher = workers && new Prefetcher(workers, options.reader);
    this.#ahead = options.ahead ?? 2 * (workers?.count ?? 0);
  }

  /** Number of videos in an epoch. */
  get videos(): number {
    return this.#videos.length;
  }

  get batchesPerEpoch(): number {
    return this.#sampler.batchesPerEpoch;
  }

  /** Videos that could not be read so far. */
  get damaged(): DamagedVideo[] {
    return this.#damaged.list();
  }

  /** Hands over what was skipped since the last call. */
  takeSkipped(): SkippedSample[] {
    return this.#damaged.takeSkipped();
  }

  /** Time spent in making batches so far, without what the workers made. */
  get seconds(): number {
    return this.#seconds;
  }

  /**
   * Batch number `index` of an epoch; both count from 0. Damaged videos are left out; null when that leaves none, or when
   * this process has no share of a small last batch.
   */
  batch(epoch: number, index: number): Batch | null {
    return this.#make(this.#sampler.epochBatch(epoch, index), () => null);
  }

  /**
   * The batches of an epoch in order, for evaluation. Each is freed when the next is asked for.
   *
   * @throws ChronotopeError `no-usable-videos` when all turn out to be damaged
   */
  *batches(epoch: number): Generator<Batch, void, void> {
    for (let index = 0; index < this.batchesPerEpoch; index++) {
      const batch = this.batch(epoch, index);
      if (batch === null) continue;
      try {
        yield batch;
      } finally {
        disposeBatch(batch);
      }
    }
    this.#requireUndamaged();
  }

  /**
   * The batch of an optimiser step, for training that counts steps: always full, running on from one epoch into the
   * next, so that a set smaller than a batch serves too. Other videos stand in for damaged ones.
   *
   * @throws ChronotopeError `no-usable-videos` when all turn out to be damaged
   */
  stepBatch(step: number): Batch {
    const batch = this.#make(
      this.#sampler.stepBatch(step),
      (place) => this.#standIn(place),
      (places) => this.#prefetcher?.take(step, nameOf(places)) ?? null,
    );
    this.#requireUndamaged();
    return batch!;
  }

  /**
   * Has the workers make the batches of this step and the next ones, and waits until this one is ready: `stepBatch` then
   * hands it over at once. The batch is the same without this call, which then costs its time in `stepBatch`; without
   * workers there is nothing to do.
   *
   * @param end the first step that is not wanted any more
   * @throws ChronotopeError `loader-worker-ended`
   */
  async prepare(step: number, end = Number.POSITIVE_INFINITY): Promise<void> {
    if (this.#prefetcher === null) return;
    for (let next = step; next <= step + this.#ahead && next < end; next++) {
      if (!this.#prefetcher.has(next)) this.#startMaking(this.#prefetcher, next);
    }
    await this.#prefetcher.wait(step);
  }

  #startMaking(prefetcher: Prefetcher, step: number): void {
    const places = this.#present(this.#sampler.stepBatch(step), (place) => this.#standIn(place)).flatMap(
      ({ used }) => used ?? [],
    );
    try {
      prefetcher.start(step, nameOf(places), this.#drawn(places));
    } catch (error) {
      // It comes again, and is dealt with, when it is this batch's turn.
      if (!(error instanceof ChronotopeError)) throw error;
    }
  }

  #standIn(place: Place): Place | null {
    return this.#sampler.standIn(place, (video) => !this.#damaged.has(this.#videos[video]!.id));
  }

  /**
   * What one video contributes to an epoch, with every choice that was drawn for it.
   *
   * @throws RangeError for a video that is not in the set
   */
  inspect(id: string, epoch: number): InspectedVideo {
    const video = this.#videos.findIndex((one) => one.id === id);
    if (video < 0) throw new RangeError(`the video "${id}" is not in the set`);
    const place = { epoch, position: 0, video, turn: 0 };
    return { clips: this.#draw(place), batch: this.#read([place], null) };
  }

  /**
   * A batch of places, with `standIn` asked for those of damaged videos; null when no place is left.
   *
   * @param ready the views of the places that are used, if they were made before
   */
  #make(
    places: readonly Place[],
    standIn: (place: Place) => Place | null,
    ready: (used: readonly Place[]) => Batch['views'] | null = () => null,
  ): Batch | null {
    const started = performance.now();
    try {
      for (;;) {
        const pairs = this.#present(places, standIn);
        const used = pairs.flatMap((pair) => pair.used ?? []);
        const batch = used.length === 0 ? null : this.#damaged.watch(() => this.#read(used, ready(used)));
        if (batch === 'damaged') continue;
        for (const { wanted, used } of pairs) {
          if (used !== wanted) this.#damaged.skip(this.#idOf(wanted), used && this.#idOf(used));
        }
        return batch;
      }
    } finally {
      this.#seconds += (performance.now() - started) / 1000;
    }
  }

  /** Which place of the epoch takes each wanted one. */
  #present(places: readonly Place[], standIn: (place: Place) => Place | null) {
    return places.map((wanted) => ({
      wanted,
      used: this.#damaged.has(this.#idOf(wanted)) ? standIn(wanted) : wanted,
    }));
  }

  #read(places: readonly Place[], ready: Batch['views'] | null): Batch {
    return scope(() => ({
      views: ready ?? makeViews(this.#options.reader, this.#drawn(places), this.#device),
      labels: this.#labels(places),
      ids: places.map((place) => this.#idOf(place)),
    }));
  }

  #drawn(places: readonly Place[]): DrawnVideo[] {
    return places.map((place) => ({ id: this.#idOf(place), clips: this.#draw(place) }));
  }

  #draw({ video, epoch, turn }: Place): DrawnClip[] {
    const { reader, plan, size, seed } = this.#options;
    const { id, key } = this.#videos[video]!;
    return drawViews(plan, reader.info(id), size, { seed, epoch, video: key, turn })!;
  }

  #labels(places: readonly Place[]): Tensor | null {
    const labels = places.map(({ video }) => this.#videos[video]!.classIndex);
    return labels.includes(null)
      ? null
      : tensor(
          BigInt64Array.from(labels, (label) => BigInt(label!)),
          { device: this.#device },
        );
  }

  #idOf({ video }: Place): string {
    return this.#videos[video]!.id;
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

  #requireUndamaged(): void {
    const { damaged } = this;
    if (damaged.length === this.#videos.length) throw noUsableVideos(this.excluded, damaged);
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

/** Tells batches apart: all that is drawn for a place follows from these. */
function nameOf(places: readonly Place[]): string {
  return places.map(({ epoch, video, turn }) => `${epoch} ${video} ${turn}`).join();
}

function noUsableVideos(tooShort: readonly ExcludedVideo[], damaged: readonly DamagedVideo[]): ChronotopeError {
  const excluded = [...damaged, ...tooShort];
  const first = excluded[0];
  const message =
    first === undefined
      ? 'no videos to load'
      : `none of the ${excluded.length} videos can be used; the first, "${first.id}": ${first.reason}`;
  return new ChronotopeError('no-usable-videos', message, {
    hint: 'Shorter clips (fewer frames or a smaller stride) accept shorter videos; damaged ones are decoded again by the next run.',
    details: { excluded, tooShort, damaged },
  });
}
