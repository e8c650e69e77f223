import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { encodeParts } from '@chronotope/video';
import { CAPTIONS_FILE } from '../data/captions.js';
import { ChronotopeError } from '../errors.js';
import { interrupted } from '../training/fit.js';
import { readJson, writeFileAtomic, writeJsonAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';
import { captionDemoVideo } from './captions.js';
import { demoClasses } from './demo-classes.js';
import { type DemoVideoName, demoSize, planDemoVideo, renderDemoVideo } from './render.js';

/** Settings of {@link writeDemoData}. */
export interface WriteDemoDataOptions {
  /** Default 1. */
  seed?: number;
  /** Training videos of each class. Default 24. */
  trainPerClass?: number;
  /** Test videos of each class. Default 15. */
  testPerClass?: number;
  /** Default: silent. */
  progress?: Progress;
  /** Stops the work when aborted; complete videos stay. */
  signal?: AbortSignal;
}

/** Encoders that run at the same time: one compresses while the frames of the other are drawn. */
const ENCODERS = 2;

/** Videos that an encoder writes before the next one is started. */
const VIDEOS_AT_ONCE = 12;

/** Raised whenever the same seed would give other videos. */
const GENERATOR_VERSION = 2;

/** Says what a folder of demo videos was made with; hidden, so that it is not taken for data. */
const MARKER = '.chronotope-demo.json';

interface Marker {
  generator: number;
  seed: number;
  trainPerClass: number;
  testPerClass: number;
}

/**
 * Writes the demo's videos as H.264 files, all of them labelled by their folder:
 *
 * ```
 * <folder>/<class>/<class>_001.mp4         training videos
 * <folder>/_test/<class>/<class>_001.mp4   test videos
 * <folder>/captions.jsonl                  a sentence about each video
 * ```
 *
 * Files that exist are kept as they are, so interrupted work goes on where it stopped. A hidden file records the seed and
 * the counts, so that videos of two seeds or of two versions of the generator never mix; the counts may grow.
 *
 * @throws ChronotopeError `folder-not-empty` when the folder holds other files than these, `demo-data-differs` when its
 *   videos were made with another seed, other counts or another version, `interrupted`
 * @throws VideoError when FFmpeg is missing or cannot write, see `encode` of `@chronotope/video`
 */
export async function writeDemoData(folder: string, options: WriteDemoDataOptions = {}): Promise<void> {
  const { seed = 1, trainPerClass = 24, testPerClass = 15, progress = silentProgress, signal } = options;
  const videos = [
    ...planVideos({ seed, part: 'train', perClass: trainPerClass }),
    ...planVideos({ seed, part: 'test', perClass: testPerClass }),
  ];
  const existing = await listFiles(folder);
  if (existing.length > 0) checkSameDemo(folder, { generator: GENERATOR_VERSION, seed, trainPerClass, testPerClass });
  checkNothingElse(folder, existing, videos);
  writeJsonAtomic(join(folder, MARKER), { generator: GENERATOR_VERSION, seed, trainPerClass, testPerClass });
  const captions = videos.map(({ name, path }) => JSON.stringify({ path, text: captionDemoVideo(name) }));
  writeFileAtomic(join(folder, CAPTIONS_FILE), `${captions.join('\n')}\n`);
  const present = new Set(existing);
  const missing = videos.filter(({ path }) => !present.has(path));

  const task = progress.begin('writing demo videos', videos.length, 'videos');
  let done = videos.length - missing.length;
  task.update(done);
  await encodeAll(folder, missing, {
    signal,
    onWritten: (count) => {
      done += count;
      task.update(done);
    },
  });
  task.end(`${missing.length} written, ${videos.length - missing.length} there already`);
}

interface PlannedVideo {
  name: DemoVideoName;
  /** Relative to the data folder, with `/`. */
  path: string;
}

function planVideos({
  seed,
  part,
  perClass,
}: {
  seed: number;
  part: 'train' | 'test';
  perClass: number;
}): PlannedVideo[] {
  return demoClasses.flatMap(({ name }, classIndex) =>
    Array.from({ length: perClass }, (_, index) => {
      const file = `${name}/${name}_${String(index + 1).padStart(3, '0')}.mp4`;
      return { name: { seed, part, classIndex, index }, path: part === 'test' ? `_test/${file}` : file };
    }),
  );
}

/** Files below a folder as relative paths with `/`; hidden ones, such as unfinished videos, are passed over. */
async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, sep).length).replaceAll(sep, '/'));
}

/** In a folder without a marker every file is somebody else's: see {@link checkNothingElse}. */
function checkSameDemo(folder: string, wanted: Marker): void {
  const file = join(folder, MARKER);
  if (!existsSync(file)) return;
  const found = readJson(file) as Marker;
  const same =
    found.generator === wanted.generator &&
    found.seed === wanted.seed &&
    found.trainPerClass <= wanted.trainPerClass &&
    found.testPerClass <= wanted.testPerClass;
  if (same) return;
  const says = ({ generator, seed, trainPerClass, testPerClass }: Marker) =>
    `seed ${seed}, ${trainPerClass} + ${testPerClass} videos a class, generator ${generator}`;
  throw new ChronotopeError('demo-data-differs', `${folder} holds other demo videos (${says(found)})`, {
    hint: `Asked for: ${says(wanted)}. Choose a new folder, or delete this one.`,
    details: { folder, found, wanted },
  });
}

function checkNothingElse(folder: string, existing: readonly string[], videos: readonly PlannedVideo[]): void {
  const planned = new Set(existsSync(join(folder, MARKER)) ? [CAPTIONS_FILE, ...videos.map(({ path }) => path)] : []);
  const others = existing.filter((path) => !planned.has(path)).sort();
  if (others.length === 0) return;
  throw new ChronotopeError(
    'folder-not-empty',
    `${folder} holds files that are not of this demo, such as ${others[0]}`,
    {
      hint: 'Choose an empty or a new folder for the demo videos.',
      details: { folder, files: others.slice(0, 10), count: others.length },
    },
  );
}

async function encodeAll(
  folder: string,
  videos: readonly PlannedVideo[],
  { signal, onWritten }: { signal?: AbortSignal; onWritten: (videos: number) => void },
): Promise<void> {
  // A failure of one encoder stops the others too, so that none still writes when the caller sees the error.
  const failure = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  const settings = { width: demoSize, height: demoSize, crf: 18, signal: stop };
  const queue = groupsOfOneRate(videos).values();
  const work = async (): Promise<void> => {
    // The workers share one iterator, so each group is taken once.
    for (const group of queue) {
      stop.throwIfAborted();
      const parts = group.map(({ name, path }) => ({ path: join(folder, path), frames: planDemoVideo(name).frames }));
      for (const { path } of parts) await mkdir(dirname(path), { recursive: true });
      await encodeParts(framesOf(group), parts, { ...settings, fps: planDemoVideo(group[0]!.name).frameRate });
      onWritten(group.length);
    }
  };
  const workers = Array.from({ length: ENCODERS }, () =>
    work().catch((error: unknown) => {
      failure.abort(error);
    }),
  );
  await Promise.all(workers);
  if (signal?.aborted) throw interrupted();
  failure.signal.throwIfAborted();
}

/** One encoder writes videos of one frame rate. */
function groupsOfOneRate(videos: readonly PlannedVideo[]): PlannedVideo[][] {
  const byRate = new Map<number, PlannedVideo[]>();
  for (const video of videos) {
    const { frameRate } = planDemoVideo(video.name);
    byRate.set(frameRate, [...(byRate.get(frameRate) ?? []), video]);
  }
  return [...byRate.values()].flatMap((ofRate) => inGroups(ofRate, VIDEOS_AT_ONCE));
}

function inGroups<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, k) => items.slice(k * size, (k + 1) * size));
}

/** The frames of one video after the other. */
function* framesOf(videos: readonly PlannedVideo[]): Generator<Uint8Array> {
  const frameBytes = demoSize * demoSize * 3;
  for (const { name } of videos) {
    const pixels = renderDemoVideo(planDemoVideo(name));
    for (let start = 0; start < pixels.length; start += frameBytes) yield pixels.subarray(start, start + frameBytes);
  }
}
