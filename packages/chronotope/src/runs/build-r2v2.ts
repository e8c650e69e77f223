import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, truncateSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { encodePicture, VideoError } from '@chronotope/video';
import { readLines } from '../data/json-lines.js';
import type { ManifestEntry } from '../data/manifest.js';
import { type PictureChoice, relatedPictures } from '../data/related-pictures.js';
import { ChronotopeError } from '../errors.js';
import { interrupted } from '../training/fit.js';
import { readJson, writeJsonAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';
import { readVideos } from './training-data.js';

/** Settings of {@link buildR2v2}. */
export interface BuildR2v2Options extends Partial<PictureChoice> {
  /** A folder of videos, or a manifest or list. */
  data: string;
  /** The folder to be made. */
  out: string;
  /** Of the JPEG files, 1 to 100. Default 95. */
  quality?: number;
  /** Videos decoded at the same time. Default: the number of processors. */
  jobs?: number;
  progress?: Progress;
  signal?: AbortSignal;
}

/** What {@link buildR2v2} made, over all attempts. */
export interface R2v2Report {
  videos: number;
  pictures: number;
  /** Videos whose frames were nearer than asked for, because the video is short. */
  shortened: number;
  /** Videos without pictures, and why. */
  skipped: { id: string; reason: string }[];
}

/** What became of a video: one line of `videos.jsonl`. */
interface VideoLine {
  id: string;
  path: string;
  /** Its name in the folder. */
  name: string;
  spacingSeconds: number | null;
  /** Seconds of each picture. */
  seconds: number[];
  /** Why there are no pictures. */
  skipped: string | null;
}

const DEFAULTS: PictureChoice = {
  framesPerVideo: 4,
  spacingSeconds: 5,
  mostFrames: 10,
  maxSide: 480,
  filters: { similar: true, borders: true, flat: true },
  seed: 1,
};

/**
 * Makes a data set of pictures in the layout of R2V2 from any videos: `train/` and `val/` (validation and test videos)
 * with `<first two characters>/<11 characters>_<frame>.jpg`. `videos.jsonl` says which video each name is, `build.json` the settings.
 * The same call continues after an interruption.
 *
 * @throws ChronotopeError `build-differs` when the folder was begun with other settings, `interrupted`, and those of
 *   `readVideos`
 */
export async function buildR2v2(options: BuildR2v2Options): Promise<R2v2Report> {
  const { data, out, quality = 95, jobs = availableParallelism(), progress = silentProgress, signal } = options;
  const choice = pictureChoice(options);
  const { entries, notes } = await readVideos(data);
  for (const note of notes) progress.note(`  note: ${note}`);
  beginOrContinue(out, { ...choice, quality });
  const journal = path.join(out, 'videos.jsonl');
  const lines = new Map(readJournal(journal).map((line) => [line.id, line]));
  const waiting = entries.filter(({ id, split }) => split !== 'unused' && !lines.has(id));

  const task = progress.begin('choosing pictures', waiting.length, 'videos');
  let done = 0;
  const lane = async (): Promise<void> => {
    for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
      if (signal?.aborted) throw interrupted();
      const line = await buildVideo(entry, out, { ...choice, quality }, signal);
      appendFileSync(journal, `${JSON.stringify(line)}\n`);
      lines.set(line.id, line);
      if (line.skipped !== null) progress.note(`  left out: ${line.id}: ${line.skipped}`);
      task.update(++done);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: jobs }, lane));
  for (const end of ends) if (end.status === 'rejected') throw signal?.aborted ? interrupted() : end.reason;
  const report = summary([...lines.values()], choice);
  task.end(`${report.pictures} pictures of ${report.videos} videos, ${report.skipped.length} left out`);
  return report;
}

function pictureChoice(options: Partial<PictureChoice>): PictureChoice {
  const given = Object.entries(options).filter(([key, value]) => key in DEFAULTS && value !== undefined);
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}

async function buildVideo(
  { id, path: file, split }: ManifestEntry,
  out: string,
  { quality, ...choice }: PictureChoice & { quality: number },
  signal: AbortSignal | undefined,
): Promise<VideoLine> {
  const name = nameOf(id, file);
  const line: VideoLine = { id, path: file, name, spacingSeconds: null, seconds: [], skipped: null };
  try {
    const found = await relatedPictures({ id, path: file }, choice, signal);
    if (found === null) return { ...line, skipped: 'fewer than two different frames are left by the filters' };
    const folder = path.join(out, split === 'train' ? 'train' : 'val', name.slice(0, 2));
    mkdirSync(folder, { recursive: true });
    for (const { frame, seconds: _, ...picture } of found.pictures) {
      const jpeg = await encodePicture(picture, { format: 'jpeg', quality });
      await writeFile(path.join(folder, `${name}_${String(frame).padStart(6, '0')}.jpg`), jpeg);
    }
    return { ...line, spacingSeconds: found.spacingSeconds, seconds: found.pictures.map(({ seconds }) => seconds) };
  } catch (error) {
    if (!(error instanceof VideoError) || signal?.aborted) throw error;
    return { ...line, skipped: error.reason };
  }
}

/** A YouTube id stays; any other video is named by a hash of its id, which looks like one. */
function nameOf(id: string, file: string): string {
  const own = path.parse(file).name;
  return /^[\w-]{11}$/.test(own) ? own : createHash('sha256').update(id).digest('base64url').slice(0, 11);
}

function beginOrContinue(out: string, settings: PictureChoice & { quality: number }): void {
  const file = path.join(out, 'build.json');
  if (!existsSync(file)) {
    writeJsonAtomic(file, settings);
    return;
  }
  const before = readJson(file) as typeof settings;
  if (isDeepStrictEqual(before, settings)) return;
  throw new ChronotopeError('build-differs', `${out} was begun with other settings`, {
    hint: `Repeat them (they are in ${file}), or choose another --out folder.`,
    details: { before, now: settings },
  });
}

/** Videos that are done. A last line that a kill cut short is taken out of the file. */
function readJournal(file: string): VideoLine[] {
  if (!existsSync(file)) return [];
  const whole = [...readLines(file, 'journal-unreadable')].filter(({ ended }) => ended);
  const last = whole.at(-1);
  truncateSync(file, last === undefined ? 0 : last.offset + last.bytes + 1);
  return whole.map(({ text }) => JSON.parse(text) as VideoLine);
}

function summary(lines: readonly VideoLine[], { spacingSeconds }: PictureChoice): R2v2Report {
  const made = lines.filter(({ skipped }) => skipped === null);
  return {
    videos: made.length,
    pictures: made.reduce((sum, { seconds }) => sum + seconds.length, 0),
    shortened: made.filter((line) => line.spacingSeconds! < spacingSeconds - 1e-9).length,
    skipped: lines.flatMap(({ id, skipped }) => (skipped === null ? [] : [{ id, reason: skipped }])),
  };
}
