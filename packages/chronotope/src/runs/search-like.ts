import { resolve } from 'node:path';
import { nn, scope } from '@chronotope/torch';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { type FeatureOptions, featuresOf } from './embed.js';
import type { SearchHit } from './search.js';
import { readVideos } from './training-data.js';

/** Settings of {@link searchLike}. */
export interface SearchLikeOptions extends FeatureOptions {
  /** How many videos are named. Default 10. */
  count?: number;
}

/** Where the video that is searched with stands among the others. */
const EXAMPLE = '\0example';

/**
 * The videos of a folder or list whose features are most similar to those of an example, by cosine. Any network of a run
 * will do; the example itself is not named.
 *
 * @param folder the run
 * @param example a video file
 * @throws ChronotopeError `example-unusable` when it cannot be decoded, those of `featuresOf` and `readDataset`
 */
export async function searchLike(
  folder: string,
  data: string,
  example: string,
  { count = 10, ...options }: SearchLikeOptions = {},
): Promise<{ hits: SearchHit[]; videos: number; excluded: { id: string; reason: string }[] }> {
  const { entries } = await readVideos(data);
  const others = entries.filter(({ path }) => resolve(path) !== resolve(example));
  const query: ManifestEntry = { id: EXAMPLE, path: example, label: null, split: 'test' };
  const { ids, features, excluded } = await featuresOf(folder, [query, ...others], options);
  const row = ids.indexOf(EXAMPLE);
  if (row < 0) {
    const reason = excluded.find(({ id }) => id === EXAMPLE)?.reason ?? 'it has no frames';
    throw new ChronotopeError('example-unusable', `${example} cannot be searched with: ${reason}`, {
      hint: 'Give a video that can be played, long enough for a clip.',
    });
  }
  const similarity = scope(() => {
    const unit = nn.functional.normalize(features, { dim: 1 });
    return unit.matmul(unit.select(0, row)).data() as Float32Array;
  });
  features.dispose();
  const pathOf = new Map(others.map(({ id, path }) => [id, path]));
  const hits = ids
    .flatMap((id, k) => (k === row ? [] : [{ id, path: pathOf.get(id)!, similarity: similarity[k]! }]))
    .sort((a, b) => b.similarity - a.similarity)
    .slice(0, count);
  return { hits, videos: ids.length - 1, excluded };
}
