import {
  clearStore,
  type DamagedEntry,
  describeStore,
  type FailedVideo,
  type SourceVideo,
  type StoreKind,
  type StorePlan,
  verifyStore,
} from '@chronotope/video';
import { type ReadDatasetOptions, readDataset } from '../data/readers/read-dataset.js';
import { sourceVideo } from '../data/source-video.js';
import type { FrameSettings } from '../recipes/parts.js';
import { interrupted } from '../training/fit.js';
import { type Progress, silentProgress } from '../training/progress.js';
import { storeVideos } from './prepare-videos.js';

/** Which videos, and where their frames are kept. */
export interface FrameCacheOptions {
  /** The frame store. */
  store: string;
  /** A data set in any format; without it everything in the store is meant. */
  data?: string;
  /** How `data` is read. */
  reading?: ReadDatasetOptions;
  progress?: Progress;
  signal?: AbortSignal;
}

/** Result of {@link buildFrameCache}. */
export interface FrameCacheReport {
  plan: StorePlan;
  /** Videos decoded now, and those whose frames were there. */
  stored: number;
  reused: number;
  failed: FailedVideo[];
}

/**
 * Decodes the videos of a data set once, for any number of runs.
 *
 * @throws ChronotopeError as {@link readDataset}; `interrupted`;
 *   VideoError `disk-full`, `unwritable`
 */
export async function buildFrameCache(
  options: FrameCacheOptions & {
    data: string;
    frames: FrameSettings;
    jobs?: number;
    verify?: 'length' | 'checksum';
  },
): Promise<FrameCacheReport> {
  const { data, store, frames, progress = silentProgress, signal, jobs, verify } = options;
  const { entries } = await readDataset(data, options.reading);
  const { plan, stored, reused, failed } = await storeVideos(entries, store, frames, {
    ...{ progress, signal, data, jobs, verify },
  });
  return { plan, stored, reused, failed };
}

/** What a store holds, one item for each format and settings. Errors as `describeStore` of the video package. */
export async function describeFrameCache(options: FrameCacheOptions): Promise<StoreKind[]> {
  return describeStore(options.store, await chosenVideos(options));
}

/** Compares the checksums of all frames. Errors as `verifyStore` of the video package, and `interrupted`. */
export async function verifyFrameCache(
  options: FrameCacheOptions,
): Promise<{ checked: number; damaged: DamagedEntry[] }> {
  const { progress = silentProgress, signal } = options;
  let task: ReturnType<Progress['begin']> | undefined;
  const onProgress = (done: number, total: number): void => {
    task ??= progress.begin('verifying', total, 'videos');
    task.update(done);
  };
  const videos = await chosenVideos(options);
  const report = await verifyStore(options.store, videos, { signal, onProgress }).catch((error: unknown) => {
    throw signal?.aborted ? interrupted() : error;
  });
  task?.end(`${report.checked} checked, ${report.damaged.length} damaged`);
  return report;
}

/** Removes frames, in every format and with all settings. Errors as `clearStore` of the video package. */
export async function clearFrameCache(options: FrameCacheOptions): Promise<{ removed: number; bytes: number }> {
  return clearStore(options.store, await chosenVideos(options));
}

async function chosenVideos({ data, reading }: FrameCacheOptions): Promise<SourceVideo[] | undefined> {
  return data === undefined ? undefined : (await readDataset(data, reading)).entries.map(sourceVideo);
}
