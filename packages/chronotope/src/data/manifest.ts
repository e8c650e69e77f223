import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { writeAtomically } from '@chronotope/torch';
import type { ArchiveMember, ClipRange } from '@chronotope/video';
import { z } from 'zod';
import { ChronotopeError } from '../errors.js';
import { type JsonLinesFormat, lineError, readJsonLines } from './json-lines.js';
import { LineWriter } from './line-writer.js';

/**
 * The part of a data set a video belongs to: `train` holds labelled and unlabelled videos, `validation` is for choosing
 * settings, `test` only reports. `unused` videos belong to none of them, such as the clips that an official split sets
 * aside; they stay in the list so that label lists can name them.
 */
export type Split = (typeof SPLITS)[number];

/** The parts of a data set; `unused` videos are listed but serve nothing. */
export const SPLITS = ['train', 'validation', 'test', 'unused'] as const;

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

/** One video (or clip, image, sequence) of a data set: one line of a manifest. */
export interface ManifestEntry {
  /** The video's name everywhere in the toolkit: its path relative to the data folder, with `/` between the parts. */
  id: string;
  /**
   * Where the file (or the folder of frames) is: in a manifest file relative to the folder of the manifest, else absolute
   * or relative to the current folder.
   */
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
  /** Frames a second of a folder of images. Default 25. */
  imageFps?: number;
  /** Boxes of a tracking sequence. */
  tracking?: Tracking;
  /** The entry lies inside the archive `path`. */
  archive?: ArchiveMember;
  /** Hash of the file's content. */
  hash?: string;
}

export type { ArchiveMember, ClipRange };

const text = z.string('must be a text').min(1, 'must not be empty');
const count = z.number('must be a number').int('must be a whole number').min(0, 'must not be negative');
const box = z.tuple([z.number(), z.number(), z.number(), z.number()], 'must be [x, y, width, height]');

/** The schema of a {@link ManifestEntry}, with messages that go on after the field's name. */
export const manifestEntrySchema = z.object({
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
  imageFps: z.number('must be a number').positive('must be above 0').optional(),
  tracking: z
    .object({
      boxes: z.array(box),
      cover: z.array(z.number()).optional(),
      attributes: z.array(z.string()).optional(),
    })
    .optional(),
  archive: z.object({ name: text, offset: count, size: count }).optional(),
  hash: text.optional(),
});

/** How the lines of a manifest are read and reported. */
export const manifestFormat: JsonLinesFormat<ManifestEntry> = {
  schema: manifestEntrySchema,
  unreadable: 'manifest-unreadable',
  invalid: 'manifest-invalid',
  hint:
    'A manifest has one JSON object a line: {"id": …, "path": …, "label": … or null, ' +
    '"split": "train", "validation", "test" or "unused"}.',
};

/**
 * Reads a manifest: JSON Lines, one {@link ManifestEntry} a line, blank lines allowed, unknown fields ignored. Relative
 * paths in it start at its own folder, so that a data set and its manifest can be moved together.
 *
 * @throws ChronotopeError as {@link manifestEntries}
 */
export function readManifest(file: string): ManifestEntry[] {
  return [...manifestEntries(file, manifestFormat)];
}

/**
 * The entries of a manifest one by one, with the fields that the format's schema knows; their paths are absolute.
 *
 * @throws ChronotopeError `manifest-unreadable` when the file cannot be read; `manifest-invalid`, with the number of the
 *   line in `details.line`, when a line is not JSON, lacks a field, holds a wrong type or repeats an id.
 */
export function* manifestEntries<Entry extends ManifestEntry>(
  file: string,
  format: JsonLinesFormat<Entry>,
): Generator<Entry> {
  const folder = dirname(resolve(file));
  const lineOf = new Map<string, number>();
  for (const { value, line } of readJsonLines(file, format)) {
    const earlier = lineOf.get(value.id);
    if (earlier !== undefined) {
      throw lineError(file, line, `the id "${value.id}" was already used in line ${earlier}`, format);
    }
    lineOf.set(value.id, line);
    yield { ...value, path: resolve(folder, value.path) };
  }
}

/** Writes a manifest as JSON Lines in the order given, one entry at a time; the file is replaced when it is complete. */
export function writeManifest(file: string, entries: Iterable<ManifestEntry>): void {
  const folder = dirname(resolve(file));
  writeAtomically(file, (handle) => {
    const lines = new LineWriter(handle);
    for (const { id, path, label, split, group, ...facts } of entries) {
      lines.write(JSON.stringify({ id, path: portablePath(folder, path), label, split, group, ...facts }));
    }
    lines.flush();
  });
}

/** A path as a manifest in `folder` states it: relative, with `/` between the parts. */
export function portablePath(folder: string, path: string): string {
  return relative(folder, resolve(path)).split(sep).join('/');
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
