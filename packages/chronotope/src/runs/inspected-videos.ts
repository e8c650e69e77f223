import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { isImage, isVideo } from '../data/folders.js';
import { type SourceReading, videosOf } from '../data/index/source.js';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { loadVideoRecipe } from '../recipes/load.js';
import { nearest } from '../recipes/nearest.js';
import type { FrameSettings } from '../recipes/parts.js';
import type { VideoRecipe } from '../recipes/schemas.js';
import { readRunData } from './run-data.js';
import { RunFolder } from './run-folder.js';
import { runFrames } from './run-frames.js';

/** What is looked at, and with which settings. */
export interface InspectedSource {
  /** A data set in any layout, one video or image, or a run, whose videos are meant. */
  data: string;
  /** A recipe by name or file, or a run, whose settings are meant. Default: those of the run that `data` is, else `timebalance-small`. */
  recipe?: string;
  /** Changes to it, as `key=value`. */
  set?: readonly string[];
  /** The layout of the data, if it is not to be recognised, and what its reader can be told. */
  reading?: SourceReading;
}

/** The videos and settings of an {@link InspectedSource}. */
export interface InspectedVideos {
  recipe: VideoRecipe;
  entries: ManifestEntry[];
  /** The settings that a run stores these frames with. */
  storedWith: (frames: FrameSettings) => FrameSettings;
}

/** @throws ChronotopeError those of `loadVideoRecipe`, `readRunData` and `videosOf` */
export async function inspectedVideos({
  data,
  recipe: named,
  set,
  reading,
}: InspectedSource): Promise<InspectedVideos> {
  const recipe = loadVideoRecipe(recipeFile(named ?? (isRun(data) ? data : 'timebalance-small')), set);
  if (!isRun(data)) return { recipe, entries: await entriesOf(data, reading), storedWith: (frames) => frames };
  const run = RunFolder.open(data);
  const { train, test } = readRunData(run);
  return { recipe, entries: [...train, ...test], storedWith: (frames) => runFrames(run, { frames }).settings };
}

function isRun(path: string): boolean {
  return existsSync(join(path, 'run.json'));
}

function recipeFile(nameOrRun: string): string {
  return isRun(nameOrRun) ? join(nameOrRun, 'recipe.yaml') : nameOrRun;
}

async function entriesOf(data: string, reading: SourceReading | undefined): Promise<ManifestEntry[]> {
  const isFile = statSync(data, { throwIfNoEntry: false })?.isFile();
  if (isFile && (isVideo(data) || isImage(data)))
    return [{ id: basename(data), path: data, label: null, split: 'train' }];
  return (await videosOf(data, reading)).videos;
}

/**
 * The video that a name means: its id, its path, or the end of its id. Without a name the first one that is on the disk.
 *
 * @throws ChronotopeError `sample-missing` when it means none or several; the hint names those that may be meant
 */
export function findSample(entries: readonly ManifestEntry[], sample: string | undefined): ManifestEntry {
  if (sample === undefined) return entries.find(({ path }) => existsSync(path)) ?? entries[0]!;
  const exact = entries.find(({ id, path }) => id === sample || resolve(path) === resolve(sample));
  const similar = entries.filter(({ id }) => id.endsWith(sample));
  if (exact !== undefined) return exact;
  if (similar.length === 1) return similar[0]!;
  const meant = similar.length > 0 ? similar.map(({ id }) => id) : idsNear(sample, entries);
  const count = similar.length === 0 ? 'no video' : `${similar.length} videos`;
  throw new ChronotopeError('sample-missing', `"${sample}" names ${count} of this data`, {
    hint:
      meant.length > 0
        ? `Did you mean ${meant.slice(0, 3).join(' or ')}?`
        : `Give an id, such as ${entries
            .slice(0, 3)
            .map(({ id }) => id)
            .join(', ')}.`,
    details: { sample },
  });
}

/** Ids that look like what was typed, or whose last part does if no folder was typed. */
function idsNear(sample: string, entries: readonly ManifestEntry[]): string[] {
  const partOf = (id: string): string => (sample.includes('/') ? id : id.slice(id.lastIndexOf('/') + 1));
  const near = new Set(nearest(sample, [...new Set(entries.map(({ id }) => partOf(id)))]));
  return entries.map(({ id }) => id).filter((id) => near.has(partOf(id)));
}
