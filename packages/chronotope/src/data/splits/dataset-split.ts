import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { writeAtomically } from '@chronotope/torch';
import { z } from 'zod';
import { ChronotopeError } from '../../errors.js';
import { type ManifestEntry, readTextFile, SPLITS, type Split } from '../manifest.js';

/** What a split says of one video. */
export interface SplitItem {
  id: string;
  part: Split;
  /** The class where the split lets training (or testing) know it; `null` makes the video unlabelled. */
  label: string | null;
}

/** One thing that was done to get a split, with all that is needed to do it again. */
export type SplitStep = { rule: string } & Record<string, unknown>;

/** Which part each video of a data set belongs to, and which labels may be used. */
export interface DatasetSplit {
  name: string;
  steps: SplitStep[];
  /** {@link listHash} of the list it was made from. */
  madeFrom: string;
  /** Sorted by id. */
  items: SplitItem[];
}

const KIND = 'chronotope-split';

const headerSchema = z.object({
  kind: z.literal(KIND),
  version: z.literal(1),
  name: z.string(),
  steps: z.array(z.looseObject({ rule: z.string() })),
  madeFrom: z.string(),
  items: z.number(),
  hash: z.string(),
});

const itemSchema = z.object({
  id: z.string().min(1),
  part: z.enum(SPLITS),
  label: z.union([z.string().min(1), z.null()]),
});

/** The parts and labels that entries have now, as a split made from `list` (the entries before `steps`). */
export function splitOf(
  entries: readonly ManifestEntry[],
  made: { name: string; steps: SplitStep[]; list: readonly ManifestEntry[] },
): DatasetSplit {
  const items = entries.map(({ id, split, label }) => ({ id, part: split, label }));
  return { name: made.name, steps: made.steps, madeFrom: listHash(made.list), items: items.sort(byId) };
}

/**
 * Gives the videos the parts and labels of a split. Videos that it does not name are set aside (`unused`): in which
 * part they would do no harm, only a new split can tell.
 *
 * @returns the entries in their order, and remarks on differences between the list now and then
 * @throws ChronotopeError `split-mismatch` when the split names videos that are not in the list
 */
export function applySplit(
  entries: readonly ManifestEntry[],
  split: DatasetSplit,
): { entries: ManifestEntry[]; notes: string[] } {
  const itemOf = new Map(split.items.map((item) => [item.id, item]));
  const known = new Set(entries.map(({ id }) => id));
  const gone = split.items.filter(({ id }) => !known.has(id));
  if (gone.length > 0) {
    throw new ChronotopeError(
      'split-mismatch',
      `${gone.length} of the ${split.items.length} videos of the split "${split.name}" are not in the list, for example ${gone[0]!.id}`,
      {
        hint: 'Use the list that the split was made from, or make a new split.',
        details: { split: split.name, missing: gone.slice(0, 5).map(({ id }) => id), count: gone.length },
      },
    );
  }
  const unnamed = entries.length - split.items.length;
  const notes: string[] = [];
  if (unnamed > 0) {
    notes.push(`${unnamed} videos are not named by the split "${split.name}": set aside (unused)`);
  } else if (listHash(entries) !== split.madeFrom) {
    notes.push(`labels, parts or groups in the list have changed since the split "${split.name}" was made`);
  }
  return {
    entries: entries.map((entry) => {
      const item = itemOf.get(entry.id);
      return item === undefined
        ? { ...entry, split: 'unused' as const }
        : { ...entry, split: item.part, label: item.label };
    }),
    notes,
  };
}

/**
 * Identifies a list of videos by what splits depend on: ids, labels, parts and groups, whatever their order and
 * wherever the files are.
 *
 * @returns `sha256:` and 64 hexadecimal digits
 */
export function listHash(entries: readonly ManifestEntry[]): string {
  const lines = [...entries]
    .sort(byId)
    .map(({ id, label, split, group }) => JSON.stringify([id, label, split, group ?? null]));
  return sha256(lines.join('\n'));
}

/** Identifies the content of a split: which video is in which part, with which label. */
export function splitHash({ items }: DatasetSplit): string {
  return sha256(itemLines(items));
}

/** Writes a split as JSON Lines: first what it is, with the hashes, then one line a video. */
export function writeSplit(file: string, split: DatasetSplit): void {
  const { name, steps, madeFrom, items } = split;
  const header = { kind: KIND, version: 1, name, steps, madeFrom, items: items.length, hash: splitHash(split) };
  writeAtomically(file, (handle) => writeFileSync(handle, `${JSON.stringify(header)}\n${itemLines(items)}`));
}

/**
 * Reads a split and checks that it is the one that was written.
 *
 * @throws ChronotopeError `split-unreadable`, `split-invalid` with the line, `split-changed` when its content does not
 *   have the hash that it names
 */
export function readSplit(file: string): DatasetSplit {
  const [first = '', ...rest] = readTextFile(file, 'split-unreadable').trimEnd().split(/\r?\n/);
  const header = parseLine(file, 1, first, headerSchema);
  const items = rest.map((line, index) => parseLine(file, index + 2, line, itemSchema));
  const { name, steps, madeFrom } = header;
  const split = { name, steps, madeFrom, items };
  if (items.length !== header.items || splitHash(split) !== header.hash) {
    throw new ChronotopeError('split-changed', `${file} is not as it was written: its content has another hash`, {
      hint: 'Splits are not edited by hand; get the original, or make a new split.',
      details: { file, expected: header.hash, found: splitHash(split) },
    });
  }
  return split;
}

function parseLine<T>(file: string, line: number, text: string, schema: z.ZodType<T>): T {
  const invalid = (problem: string): ChronotopeError =>
    new ChronotopeError('split-invalid', `${file}, line ${line}: ${problem}`, {
      hint: 'A split is a file that "chronotope split" has written; docs/datasets.md shows the format.',
      details: { file, line },
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`not JSON (${(error as Error).message})`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw invalid(`"${path.join('.')}": ${message}`);
  }
  return parsed.data;
}

const itemLines = (items: readonly SplitItem[]): string =>
  items.map(({ id, part, label }) => `${JSON.stringify({ id, part, label })}\n`).join('');

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
