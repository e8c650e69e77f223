import { readClassFolders } from '../data/class-folders.js';
import { ClipReader } from '../data/clip-reader.js';
import type { ClipLoader } from '../data/loader.js';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { Bootstrap } from '../evaluation/bootstrap.js';
import { testLoader } from '../methods/timebalance/pipeline.js';
import type { TestViews } from '../methods/timebalance/view-plans.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import type { Progress } from '../training/progress.js';
import { prepareVideos } from './prepare-videos.js';
import { readTestData } from './run-data.js';
import type { RunFolder } from './run-folder.js';

export interface VideoSetOptions extends TestViews {
  recipe: TimeBalanceRecipe;
  progress: Progress;
  signal?: AbortSignal;
}

/** Videos with a true class, ready for networks. Whoever opens it disposes the reader. */
export interface LabelledVideos {
  /** Those whose frames are stored; the loader leaves out the ones too short for a clip. */
  entries: ManifestEntry[];
  loader: ClipLoader;
  reader: ClipReader;
  /** Videos that can't be decoded or are too short. */
  excluded: { id: string; reason: string }[];
  /** Class number of each usable video. */
  truth: Map<string, number>;
  /** What each usable video shares with others, where that is known. */
  groups: Map<string, string | undefined>;
  /** The usable videos in the loader's order. */
  ids: string[];
}

/**
 * The run's test videos, or those of a folder of class folders.
 *
 * @throws ChronotopeError `no-test-videos`, `unknown-class`, `no-usable-videos`
 */
export function openTestVideos(run: RunFolder, data: string | undefined, options: VideoSetOptions) {
  const { classes } = run.description;
  const wanted = data === undefined ? readTestData(run).test : testFolder(data, classes);
  if (wanted.length === 0) {
    throw new ChronotopeError('no-test-videos', `${run.folder} has no test videos`, {
      hint: 'Give --data <folder of class folders>, or put test videos under _test/<class>/ before training.',
    });
  }
  return openVideos(run, wanted, 'frames-test', options);
}

/**
 * Decodes labelled videos into a frame store of the run, or finds them there.
 *
 * @param store the store's name in the run folder
 */
export async function openVideos(
  run: RunFolder,
  entries: readonly ManifestEntry[],
  store: 'frames' | 'frames-test',
  { recipe, progress, signal, ...views }: VideoSetOptions,
): Promise<LabelledVideos> {
  const { classes } = run.description;
  const prepared = await prepareVideos(entries, run.path(store), recipe.frames, { progress, signal });
  const reader = new ClipReader(prepared.store);
  const loader = testLoader(recipe, { entries: prepared.usable, classes, reader }, views);
  const tooShort = new Set(loader.excluded.map(({ id }) => id));
  return {
    ids: prepared.usable.map(({ id }) => id).filter((id) => !tooShort.has(id)),
    entries: prepared.usable,
    loader,
    reader,
    excluded: [...prepared.excluded, ...loader.excluded],
    truth: new Map(prepared.usable.map(({ id, label }) => [id, classes.indexOf(label!)])),
    groups: new Map(prepared.usable.map(({ id, group }) => [id, group])),
  };
}

function testFolder(folder: string, classes: readonly string[]): ManifestEntry[] {
  const { entries } = readClassFolders(folder);
  const labelled = entries.filter(({ label }) => label !== null);
  const unknown = labelled.find(({ label }) => !classes.includes(label!));
  if (unknown) {
    throw new ChronotopeError('unknown-class', `the class "${unknown.label}" was not trained`, {
      hint: `The run knows ${classes.join(', ')}.`,
    });
  }
  return labelled;
}

/** Intervals over these videos, whole groups at a time where groups are known. */
export function bootstrapOver({ ids, groups }: LabelledVideos, seed: number): Bootstrap {
  return new Bootstrap(ids.length, { seed, groups: ids.map((id) => groups.get(id)) });
}
