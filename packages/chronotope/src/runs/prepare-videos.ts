import { type BuildResult, buildFrameStore, type FrameStore, type StoreFormat } from '@chronotope/video';
import { KnownFiles } from '../data/index/known-files.js';
import type { ManifestEntry } from '../data/manifest.js';
import { sourceVideo } from '../data/source-video.js';
import { ChronotopeError } from '../errors.js';
import { parseByteSize } from '../recipes/byte-size.js';
import type { FrameSettings } from '../recipes/parts.js';
import { interrupted } from '../training/fit.js';
import type { Progress } from '../training/progress.js';

/** Decoded videos, and the ones that were left out. */
export interface PreparedVideos {
  store: FrameStore;
  format: StoreFormat;
  /** The entries whose frames are in the store. */
  usable: ManifestEntry[];
  excluded: { id: string; reason: string }[];
}

/**
 * Decodes all videos once into a frame store. Files that can't be decoded are reported and left out.
 *
 * @throws ChronotopeError `no-usable-videos` when none is left, `interrupted`; VideoError `disk-full`, `unwritable`
 */
export async function prepareVideos(
  entries: readonly ManifestEntry[],
  folder: string,
  settings: FrameSettings,
  options: Pick<StoreVideosOptions, 'progress' | 'signal' | 'data'>,
): Promise<PreparedVideos> {
  const { store, plan, failed } = await storeVideos(entries, folder, settings, options);
  const excluded = failed.map(({ id, reason }) => ({ id, reason }));
  const excludedIds = new Set(excluded.map(({ id }) => id));
  const usable = entries.filter(({ id }) => !excludedIds.has(id));
  if (usable.length === 0) {
    const [first] = excluded;
    const example = first === undefined ? '' : `: ${first.id}: ${first.reason}`;
    throw new ChronotopeError('no-usable-videos', `none of the videos can be decoded${example}`, {
      hint: 'Replace the files, or leave them out. `chronotope index` looks at every file and says what is wrong with it.',
      details: { excluded },
    });
  }
  return { store, format: plan.format, usable, excluded };
}

/** Options of {@link storeVideos}. */
export interface StoreVideosOptions {
  progress: Progress;
  signal?: AbortSignal;
  /** Where the list of videos comes from; what its index knows of them is used, if there is one. */
  data?: string;
  /** Videos decoded at the same time. Default: the number of processors. */
  jobs?: number;
  /** How frames that are stored already are checked. Default `length`. */
  verify?: 'length' | 'checksum';
}

/**
 * Builds the frame store of a list of videos, and says what it does and which videos it leaves out.
 *
 * @throws ChronotopeError `interrupted`; VideoError `disk-full`, `unwritable`
 */
export async function storeVideos(
  entries: readonly ManifestEntry[],
  folder: string,
  settings: FrameSettings,
  { progress, signal, data, jobs, verify }: StoreVideosOptions,
): Promise<BuildResult> {
  const { shortSide, fps, maxFrames, format, budget } = settings;
  const checking = progress.begin('reading headers', entries.length, 'videos');
  let decoding: ReturnType<Progress['begin']> | undefined;
  const index = data === undefined ? null : KnownFiles.of(data);
  const result = await buildFrameStore(folder, entries.map(sourceVideo), {
    ...{ shortSide, fps: fps ?? undefined, maxFrames, format, verify, signal, concurrency: jobs },
    known: (path) => index?.find(path) ?? null,
    budgetBytes: budget === null ? undefined : (parseByteSize(budget) ?? undefined),
    onPlan: ({ format: chosen, reason, toDecode, videos }) => {
      checking.end(`${videos} usable, ${toDecode} to decode`);
      if (toDecode > 0) progress.note(`  frames are stored as ${chosen}: ${reason}`);
      decoding = progress.begin('decoding', toDecode, 'videos');
    },
    onProgress: ({ phase, done }) => (phase === 'check' ? checking : decoding)?.update(done),
  })
    .catch((error: unknown) => {
      throw signal?.aborted ? interrupted() : error;
    })
    .finally(() => index?.close());
  const { stored, reused, failed } = result;
  decoding?.end(`${stored} decoded, ${reused} known, ${failed.length} left out`);
  for (const { id, reason } of failed) progress.note(`  left out: ${id}: ${reason}`);
  return result;
}

/** For a reader of stored frames: says that damaged ones have been made again. */
export function repairNote(progress: Progress): (id: string, reason: string) => void {
  return (id, reason) => progress.note(`  decoded again: ${id}: ${reason}`);
}
