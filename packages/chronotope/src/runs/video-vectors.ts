import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nn, type Tensor } from '@chronotope/torch';
import { ClipReader } from '../data/clip-reader.js';
import type { ClipLoader } from '../data/loader.js';
import type { ManifestEntry } from '../data/manifest.js';
import { videoRows } from '../evaluation/features.js';
import { videoMajor } from '../evaluation/video-level.js';
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
  { store, progress, signal, ...views }: EmbedEntriesOptions,
): Promise<VideoVectors> {
  const folder = store ?? mkdtempSync(path.join(tmpdir(), 'chronotope-frames-'));
  try {
    const prepared = await prepareVideos(entries, folder, model.frames, { progress, signal });
    const reader = new ClipReader(prepared.store);
    try {
      const unlabelled = prepared.usable.map((entry) => ({ ...entry, label: null }));
      const loader = model.loader({ entries: unlabelled, classes: [], reader }, views);
      const task = progress.begin('looking at videos', loader.videos, 'videos');
      const { ids, vectors } = embedLoader(model, loader, (done) => task.update(done));
      task.end();
      return { ids, vectors, excluded: [...prepared.excluded, ...loader.excluded, ...loader.damaged] };
    } finally {
      reader.dispose();
    }
  } finally {
    if (store === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

/** The same for a loader of test clips over videos that are decoded already. */
export function embedLoader(
  model: LanguageModel,
  loader: ClipLoader,
  onBatch?: (done: number) => void,
): Pick<VideoVectors, 'ids' | 'vectors'> {
  const { ids, features } = videoRows(loader, ({ views }) => videoDirections(model, views.clips!), onBatch);
  return { ids, vectors: features };
}

/** Clips `[M, V, 3, T, H, W]` to the mean directions of the M clips of each video, `[V, E]`. */
function videoDirections(model: LanguageModel, clips: Tensor): Tensor {
  const directions = nn.functional.normalize(model.embed(videoMajor(clips)));
  const perVideo = directions.view([clips.shape[1]!, clips.shape[0]!, -1]);
  return nn.functional.normalize(perVideo.mean(1));
}
