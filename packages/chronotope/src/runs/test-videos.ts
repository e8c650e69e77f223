import type { Device } from '@chronotope/torch';
import { ClipReader } from '../data/clip-reader.js';
import type { ClipLoader } from '../data/loader.js';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { Bootstrap } from '../evaluation/bootstrap.js';
import { type TestViews, trainedMethod } from '../methods/trained-method.js';
import type { VideoRecipe } from '../recipes/schemas.js';
import type { Progress } from '../training/progress.js';
import { prepareVideos, repairNote } from './prepare-videos.js';
import { readTestData } from './run-data.js';
import type { RunFolder } from './run-folder.js';
import { runFrames } from './run-frames.js';
import { readVideos } from './training-data.js';

export interface VideoSetOptions extends TestViews {
  recipe: VideoRecipe;
  /** Where the clips go. Default `cpu`. */
  device?: Device;
  progress: Progress;
  signal?: AbortSignal;
}

/** Videos with a true class, ready for networks. {@link withVideos} disposes the reader. */
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
 * The run's test videos, or those of other data.
 *
 * @throws ChronotopeError `no-test-videos`, `unknown-class`, `no-usable-videos`
 */
export async function openTestVideos(
  run: RunFolder,
  data: string | undefined,
  options: VideoSetOptions,
): Promise<LabelledVideos> {
  const { classes } = run.description;
  const wanted = data === undefined ? readTestData(run).test : await testVideos(data, classes);
  if (wanted.length === 0) {
    throw new ChronotopeError('no-test-videos', `${run.folder} has no test videos`, {
      hint: 'Give --data <class folders or manifest>, or put test videos under _test/<class>/ before training.',
    });
  }
  return openVideos(run, wanted, options);
}

/**
 * Decodes labelled videos into the run's frame store, or finds them there.
 */
export async function openVideos(
  run: RunFolder,
  entries: readonly ManifestEntry[],
  { recipe, device, progress, signal, ...views }: VideoSetOptions,
): Promise<LabelledVideos> {
  const { classes } = run.description;
  const { reader, ...prepared } = await openFrames(run, entries, { recipe, progress, signal });
  const loader = trainedMethod(recipe).testLoader({ entries: prepared.usable, classes, reader, device }, views);
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

/** Decoded videos. {@link withVideos} disposes the reader. */
export interface StoredFrames {
  /** Those whose frames are stored. */
  usable: ManifestEntry[];
  reader: ClipReader;
  /** Videos that can't be decoded. */
  excluded: { id: string; reason: string }[];
}

/**
 * Decodes videos into the run's frame store, or finds them there.
 *
 * @throws ChronotopeError `no-usable-videos`, `interrupted`
 */
export async function openFrames(
  run: RunFolder,
  entries: readonly ManifestEntry[],
  { recipe, progress, signal }: Pick<VideoSetOptions, 'recipe' | 'progress' | 'signal'>,
): Promise<StoredFrames> {
  const { folder, settings } = runFrames(run, recipe);
  const { store, usable, excluded } = await prepareVideos(entries, folder, settings, { progress, signal });
  return { usable, excluded, reader: new ClipReader(store, { onRepair: repairNote(progress) }) };
}

/** Lends opened videos to a function, and disposes their reader whatever comes of it. */
export async function withVideos<Videos extends { reader: ClipReader }, T>(
  opened: Promise<Videos>,
  use: (videos: Videos) => T | Promise<T>,
): Promise<T> {
  const videos = await opened;
  try {
    return await use(videos);
  } finally {
    videos.reader.dispose();
  }
}

/** The test videos of other data, or all its labelled ones when none is set apart for testing. */
async function testVideos(data: string, classes: readonly string[]): Promise<ManifestEntry[]> {
  const { entries } = await readVideos(data);
  const labelled = entries.filter(({ label }) => label !== null);
  const unknown = labelled.find(({ label }) => !classes.includes(label!));
  if (unknown) {
    throw new ChronotopeError('unknown-class', `the class "${unknown.label}" was not trained`, {
      hint: `The run knows ${classes.join(', ')}.`,
    });
  }
  const test = labelled.filter(({ split }) => split === 'test');
  return test.length > 0 ? test : labelled;
}

/** Intervals over these videos, whole groups at a time where groups are known. */
export function bootstrapOver({ ids, groups }: LabelledVideos, seed: number): Bootstrap {
  return new Bootstrap(ids.length, { seed, groups: ids.map((id) => groups.get(id)) });
}
