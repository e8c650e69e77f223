import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ChronotopeError } from '../errors.js';

/**
 * The part of a data set a video belongs to: `train` holds labelled and unlabelled videos, `validation` is for choosing
 * settings, `test` only reports. `unused` videos belong to none of them, such as the clips that an official split sets
 * aside; they stay in the list so that label lists can name them.
 */
export type Split = (typeof SPLITS)[number];

export const SPLITS = ['train', 'validation', 'test', 'unused'] as const;

/** The part of a file that an entry is: from `start` up to, not including, `end`; `null` means the end of the file. */
export interface ClipRange {
  /** Frames are those of the file, counted from 0. */
  unit: 'seconds' | 'frames';
  start: number;
  end: number | null;
}

/** The image files that an entry's frames are, in order, below the folder `path`. */
export type FrameFiles =
  | {
      /** File name with one number as in printf, for example `img/%04d.jpg`. */
      pattern: string;
      /** Number of the first frame; the others follow without a gap. */
      first: number;
      count: number;
    }
  /** Names of frames that are not numbered without a gap. */
  | { files: string[] };

/** `[x, y, width, height]` in pixels. The top left pixel of an image is (1, 1), as OTB and GOT-10k count. */
export type Box = [x: number, y: number, width: number, height: number];

/** Where an object is in each frame of a tracking sequence. */
export interface Tracking {
  /** One box a frame; a test sequence whose truth is kept secret has that of the first frame only. */
  boxes: Box[];
  /** GOT-10k: how much of the object is visible in each frame, in eighths, 0 (hidden) to 8 (all of it). */
  cover?: number[];
  /** Names of the challenges that the benchmark lists for the sequence, such as `OCC` (occlusion). */
  attributes?: string[];
}

/** Where an entry's bytes lie in an archive: `size` bytes from `offset` on in the file `path`. */
export interface ArchiveMember {
  name: string;
  offset: number;
  size: number;
}

/** One video (or clip, image, sequence) of a data set: one line of a manifest. */
export interface ManifestEntry {
  /** The video's name everywhere in the toolkit: its path relative to the data folder, with `/` between the parts. */
  id: string;
  /** Where the file (or the folder of frames) is. Absolute, or relative to the current folder. */
  path: string;
  /** The class, or `null` for an unlabelled video. */
  label: string | null;
  split: Split;
  /** What several videos have in common and no split may tear apart: the person, the source video. */
  group?: string;
  /** A sentence that describes the video. */
  text?: string;
  /** Only a part of the file. */
  clip?: ClipRange;
  /** The entry is a folder of images. */
  frames?: FrameFiles;
  /** Boxes of a tracking sequence. */
  tracking?: Tracking;
  /** The entry lies inside the archive `path`. */
  archive?: ArchiveMember;
  /** Hash of the file's content. */
  hash?: string;
}

const text = z.string('must be a text').min(1, 'must not be empty');
const count = z.number('must be a number').int('must be a whole number').min(0, 'must not be negative');
const box = z.tuple([z.number(), z.number(), z.number(), z.number()], 'must be [x, y, width, height]');

const entrySchema = z.object(
  {
    id: text,
    path: text,
    label: z.union([text, z.null()], 'must be the name of a class, or null for an unlabelled video'),
    split: z.enum(SPLITS, `must be one of ${SPLITS.map((name) => `"${name}"`).join(', ')}`),
    group: text.optional(),
    text: text.optional(),
    clip: z
      .object({
        unit: z.enum(['seconds', 'frames'], 'must be "seconds" or "frames"'),
        start: z.number('must be a number').min(0, 'must not be negative'),
        end: z.union([z.number(), z.null()], 'must be a number, or null for the end of the file'),
      })
      .refine(({ start, end }) => end === null || end > start, 'must end after it starts')
      .optional(),
    frames: z
      .union(
        [z.object({ pattern: text, first: count, count }), z.object({ files: z.array(text).min(1) })],
        'must be {"pattern", "first", "count"} or {"files"}',
      )
      .optional(),
    tracking: z
      .object({
        boxes: z.array(box),
        cover: z.array(z.number()).optional(),
        attributes: z.array(z.string()).optional(),
      })
      .optional(),
    archive: z.object({ name: text, offset: count, size: count }).optional(),
    hash: text.optional(),
  },
  'expected a JSON object',
);

/**
 * Reads a manifest: JSON Lines, one {@link ManifestEntry} a line, blank lines allowed, unknown fields ignored.
 *
 * @throws ChronotopeError `manifest-unreadable` when the file cannot be read; `manifest-invalid`, with the number of the
 *   line in `details.line`, when a line is not JSON, lacks a field, holds a wrong type or repeats an id.
 */
export function readManifest(file: string): ManifestEntry[] {
  const entries: ManifestEntry[] = [];
  const lineOf = new Map<string, number>();
  readTextFile(file, 'manifest-unreadable')
    .split('\n')
    .forEach((text, index) => {
      if (text.trim() === '') {
        return;
      }
      const line = index + 1;
      const entry = parseEntry(text, (problem) => invalidLine(file, line, problem));
      const earlier = lineOf.get(entry.id);
      if (earlier !== undefined) {
        throw invalidLine(file, line, `the id "${entry.id}" was already used in line ${earlier}`);
      }
      lineOf.set(entry.id, line);
      entries.push(entry);
    });
  return entries;
}

/** Writes a manifest as JSON Lines in the order given. */
export function writeManifest(file: string, entries: readonly ManifestEntry[]): void {
  writeFileSync(file, entries.map((entry) => `${manifestLine(entry)}\n`).join(''));
}

/** One line of a manifest, without its end; the fields always come in the same order. */
export function manifestLine(entry: ManifestEntry): string {
  const { id, path, label, split, group, text, clip, frames, tracking, archive, hash } = entry;
  return JSON.stringify({ id, path, label, split, group, text, clip, frames, tracking, archive, hash });
}

/** Paths of an entry's image files in order; empty when the entry is not a folder of images. */
export function framePaths({ path, frames }: ManifestEntry): string[] {
  if (frames === undefined) {
    return [];
  }
  if ('files' in frames) {
    return frames.files.map((name) => join(path, name));
  }
  return Array.from({ length: frames.count }, (_, k) => join(path, frameName(frames.pattern, frames.first + k)));
}

/** `img/%04d.jpg` and 7 give `img/0007.jpg`; `%%` stands for a percent sign. */
export function frameName(pattern: string, number: number): string {
  return pattern.replace(/%%|%(?:0(\d+))?d/g, (match, width?: string) =>
    match === '%%' ? '%' : String(number).padStart(Number(width ?? 0), '0'),
  );
}

/**
 * The classes of a data set in the order of their indices: sorted by Unicode code unit, so that the order does not
 * depend on the machine's language.
 */
export function classesOf(entries: readonly ManifestEntry[]): string[] {
  const labels = entries.flatMap((entry) => (entry.label === null ? [] : [entry.label]));
  return [...new Set(labels)].sort();
}

/**
 * Reads a UTF-8 text file without its byte order mark.
 *
 * @throws ChronotopeError with the given code and the file's name when it cannot be read.
 */
export function readTextFile(file: string, code: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    throw new ChronotopeError(code, `cannot read ${file}: ${(cause as Error).message}`, {
      hint: 'Check the path and the permission to read it.',
      details: { file },
      cause,
    });
  }
}

function parseEntry(text: string, invalid: (problem: string) => ChronotopeError): ManifestEntry {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`not JSON (${(error as Error).message})`);
  }
  const parsed = entrySchema.safeParse(value);
  if (parsed.success) {
    return parsed.data;
  }
  const { path, message } = parsed.error.issues[0]!;
  throw invalid(path.length === 0 ? message : `"${path.join('.')}" ${message}`);
}

function invalidLine(file: string, line: number, problem: string): ChronotopeError {
  return new ChronotopeError('manifest-invalid', `${file}, line ${line}: ${problem}`, {
    hint:
      'A manifest has one JSON object a line: {"id": …, "path": …, "label": … or null, ' +
      '"split": "train", "validation", "test" or "unused"}.',
    details: { file, line },
  });
}
