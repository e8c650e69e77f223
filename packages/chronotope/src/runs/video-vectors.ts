import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nn, type Tensor } from '@chronotope/torch';
import { ClipReader } from '../data/clip-reader.js';
import type { Batch, ClipLoader } from '../data/loader.js';
import type { ManifestEntry } from '../data/manifest.js';
import { videoRows } from '../evaluation/features.js';
import { videoMajor } from '../evaluation/video-level.js';
import { meanDirections } from '../evaluation/zero-shot.js';
import type { TestViews } from '../methods/trained-method.js';
import type { Progress } from '../training/progress.js';
import type { LanguageModel } from './language-model.js';
import { prepareVideos } from './prepare-videos.js';

/** Videos in the space of words. */
export interface VideoVectors {
  ids: string[];
  /** `[V, E]`, a row a video, of length 1. */
  vectors: Tensor;
  /** Videos that cannot be decoded or are too short. */
  excluded: { id: string; reason: string }[];
}

/** What {@link embedEntries} may be told. */
export interface EmbedEntriesOptions extends TestViews {
  /** A frame store to keep decoded frames in. Default: they are thrown away. */
  store?: string;
  progress: Progress;
  signal?: AbortSignal;
}

/**
 * Decodes videos and puts them into the space of words: of each the mean direction of its clips.
 *
 * @throws ChronotopeError `no-usable-videos`, `interrupted`
 */
export async function embedEntries(
  model: LanguageModel,
  entries: readonly ManifestEntry[],
  options: EmbedEntriesOptions,
): Promise<VideoVectors> {
  const { ids, rows, excluded } = await viewRows(model, entries, meanDirections, options);
  return { ids, vectors: rows, excluded };
}

/**
 * Decodes videos, and gives of each what `rowsOf` makes of the directions of its views.
 *
 * @param rowsOf gives the V videos of a batch float32 `[V, D]`, of the directions `[V, M, E]` of their M clips and crops on
 *   the CPU, where those of texts are
 * @returns `rows` `[V, D]` on the CPU
 * @throws ChronotopeError `no-usable-videos`, `interrupted`
 */
export async function viewRows(
  model: LanguageModel,
  entries: readonly ManifestEntry[],
  rowsOf: (views: Tensor) => Tensor,
  { store, progress, signal, ...views }: EmbedEntriesOptions,
): Promise<{ ids: string[]; rows: Tensor; excluded: VideoVectors['excluded'] }> {
  const folder = store ?? mkdtempSync(path.join(tmpdir(), 'chronotope-frames-'));
  try {
    const prepared = await prepareVideos(entries, folder, model.frames, { progress, signal });
    const reader = new ClipReader(prepared.store);
    try {
      const unlabelled = prepared.usable.map((entry) => ({ ...entry, label: null }));
      const loader = model.loader({ entries: unlabelled, classes: [], reader }, views);
      const task = progress.begin('looking at videos', loader.videos, 'videos');
      const rowsOfBatch = (batch: Batch) => rowsOf(viewDirections(model, batch.views.clips!).to({ device: 'cpu' }));
      const { ids, features } = videoRows(loader, rowsOfBatch, (done) => task.update(done));
      task.end();
      return { ids, rows: features, excluded: [...prepared.excluded, ...loader.excluded, ...loader.damaged] };
    } finally {
      reader.dispose();
    }
  } finally {
    if (store === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** {@link embedEntries} for a loader of test clips over videos that are decoded already. */
export function embedLoader(model: LanguageModel, loader: ClipLoader): Pick<VideoVectors, 'ids' | 'vectors'> {
  const { ids, features } = videoRows(loader, ({ views }) => meanDirections(viewDirections(model, views.clips!)));
  return { ids, vectors: features };
}

/** Clips `[M, V, 3, T, H, W]` to the directions of the M clips of each video, `[V, M, E]` of length 1. */
function viewDirections(model: LanguageModel, clips: Tensor): Tensor {
  const directions = nn.functional.normalize(model.embed(videoMajor(clips)));
  return directions.view([clips.shape[1]!, clips.shape[0]!, -1]);
}
