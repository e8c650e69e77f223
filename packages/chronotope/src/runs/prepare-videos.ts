import { buildFrameStore, type FrameStore } from '@chronotope/video';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import { interrupted } from '../training/fit.js';
import type { Progress } from '../training/progress.js';

/** Decoded videos, and the ones that were left out. */
export interface PreparedVideos {
  store: FrameStore;
  /** The entries whose frames are in the store. */
  usable: ManifestEntry[];
  excluded: { id: string; reason: string }[];
}

/**
 * Decodes all videos once into a frame store. Files that can't be decoded are reported and left out.
 *
 * @throws ChronotopeError `no-usable-videos` when none is left, `interrupted`
 */
export async function prepareVideos(
  entries: readonly ManifestEntry[],
  folder: string,
  settings: TimeBalanceRecipe['frames'],
  options: { progress: Progress; signal?: AbortSignal },
): Promise<PreparedVideos> {
  const { progress, signal } = options;
  const frames = { shortSide: settings.shortSide, fps: settings.fps ?? undefined, maxFrames: settings.maxFrames };
  const task = progress.begin('decoding', entries.length, 'videos');
  const report = await buildFrameStore(
    folder,
    entries.map(({ id, path }) => ({ id, path })),
    { ...frames, format: 'raw', signal, onProgress: ({ phase, done }) => phase === 'decode' && task.update(done) },
  ).catch((error: unknown) => {
    throw signal?.aborted ? interrupted() : error;
  });
  const failed = new Map(report.failed.map(({ id, reason }) => [id, reason]));
  task.end(`${report.stored} decoded, ${report.reused} known, ${failed.size} left out`);
  for (const [id, reason] of failed) progress.note(`  left out: ${id}: ${reason}`);
  const usable = entries.filter(({ id }) => !failed.has(id));
  if (usable.length === 0) {
    throw new ChronotopeError('no-usable-videos', 'none of the videos can be decoded', {
      hint: 'The lines above say what is wrong with each file.',
    });
  }
  const excluded = [...failed].map(([id, reason]) => ({ id, reason }));
  return { store: report.store, usable, excluded };
}
