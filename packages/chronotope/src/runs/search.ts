import { statSync } from 'node:fs';
import { loadSafetensors, saveSafetensors, scope, type Tensor } from '@chronotope/torch';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { silentProgress } from '../training/progress.js';
import { type LanguageModel, weightsHash } from './language-model.js';
import { readVideos } from './training-data.js';
import { embedEntries, type VideoVectors } from './video-vectors.js';
import { type LanguageOptions, withModel } from './zero-shot.js';

/** Settings of {@link searchVideos}. */
export interface SearchOptions extends LanguageOptions {
  /** How many videos are named. Default 10. */
  count?: number;
  /** A file that keeps what videos look like, so that the next search only reads the words. Default: none is kept. */
  index?: string;
}

/** A video that fits some words. */
export interface SearchHit {
  id: string;
  path: string;
  /** Cosine between the words and the video. */
  similarity: number;
}

/**
 * The videos of a folder or list that fit words best.
 *
 * @param source a run with a text tower, or a file of CLIP weights
 * @throws ChronotopeError `no-words`, those of `openLanguageModel` and `readDataset`
 */
export async function searchVideos(
  source: string,
  data: string,
  words: string,
  { count = 10, index, stage, device, ...options }: SearchOptions = {},
): Promise<{ hits: SearchHit[]; videos: number; excluded: VideoVectors['excluded'] }> {
  if (words.trim() === '') {
    throw new ChronotopeError('no-words', 'there are no words to search for', {
      hint: 'Say what the videos show, such as "somebody opens a door".',
    });
  }
  const { entries } = await readVideos(data);
  return withModel(source, { stage, device }, async (model) => {
    const embed = () => embedEntries(model, entries, { progress: silentProgress, ...options });
    const { ids, vectors, excluded } =
      index === undefined ? await embed() : await throughIndex(index, model, entries, options, embed);
    const similarity = scope(() => vectors.matmul(model.encoder.encode([words]).squeeze(0)).data() as Float32Array);
    vectors.dispose();
    const pathOf = new Map(entries.map(({ id, path }) => [id, path]));
    const hits = ids
      .map((id, row) => ({ id, path: pathOf.get(id)!, similarity: similarity[row]! }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, count);
    return { hits, videos: ids.length, excluded };
  });
}

const FORMAT = 'chronotope-search-index-1';

/** What is kept in the index if it is of the same weights, videos and views; else it is made anew. */
async function throughIndex(
  file: string,
  model: LanguageModel,
  entries: readonly ManifestEntry[],
  { clips, crops }: LanguageOptions,
  embed: () => Promise<VideoVectors>,
): Promise<VideoVectors> {
  const made = JSON.stringify({ weights: weightsHash(model.network), clips, crops, videos: entries.map(factsOf) });
  const kept = readIndex(file);
  if (kept !== null && kept.metadata.format === FORMAT && kept.metadata.made === made) {
    const { ids, excluded } = JSON.parse(kept.metadata.rows!) as Pick<VideoVectors, 'ids' | 'excluded'>;
    return { ids, vectors: kept.tensors.get('vectors')!, excluded };
  }
  const found = await embed();
  const rows = JSON.stringify({ ids: found.ids, excluded: found.excluded });
  saveSafetensors(file, { vectors: found.vectors }, { metadata: { format: FORMAT, made, rows } });
  return found;
}

function readIndex(file: string): { tensors: Map<string, Tensor>; metadata: Record<string, string> } | null {
  return statSync(file, { throwIfNoEntry: false }) === undefined ? null : loadSafetensors(file);
}

/** What changes when a video is replaced, removed or added. */
function factsOf({ id, path }: ManifestEntry): [id: string, size?: number, changed?: number] {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? [id] : [id, found.size, found.mtimeMs];
}
