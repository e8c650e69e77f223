import { dirname, resolve } from 'node:path';
import { ChronotopeError } from '../errors.js';
import { requireLabelInEveryClass } from './label-split.js';
import { classesOf, type ManifestEntry } from './manifest.js';
import { readCsv } from './readers/csv.js';

/**
 * Takes the labels of the training videos from a CSV file of `path,label` lines: the listed videos get the label of
 * their line, all other training videos become unlabelled. Test videos are left as they are.
 *
 * The path is a video's id (its path below the data folder, with `/`), or where the video lies seen from the file. A first
 * line `path,label` is a header; it may name further columns, which are passed over, and rows without a label are then, too;
 * a column `split` passes over the rows of other parts.
 *
 * A column `confidence` makes it a file of proposals (`chronotope label`): its labels stand on their own, so they may
 * differ from the folder that a video lies in, and name the classes.
 *
 * @throws ChronotopeError those of `readCsv`; `labels-invalid`, with `details.line`, for a line that has other fields,
 *   names no training video, names it twice, names an unknown class or contradicts the class folder;
 *   `class-without-labels`
 */
export function labelsFromFile(entries: readonly ManifestEntry[], file: string): ManifestEntry[] {
  const records = readCsv(file);
  const header = headerOf(records);
  const isProposed = header?.includes('confidence') ?? false;
  const splitColumn = header?.indexOf('split') ?? -1;
  const classes = classesOf(isProposed ? entries.filter(({ split }) => split !== 'train') : entries);
  const find = finder(entries, dirname(resolve(file)));
  const labelOf = new Map<string, string>();
  for (const { fields, line } of header === null ? records : records.slice(1)) {
    const [path, label] = fields;
    const part = fields[splitColumn] ?? '';
    if (header !== null && header.length > 2 && (label === '' || !['', 'train'].includes(part))) continue;
    if (path === undefined || label === undefined || fields.length !== (header?.length ?? 2)) {
      throw invalidLine(file, line, `expected "path,label", got "${fields.join(',')}"`);
    }
    const entry = find(path);
    const problem = problemOf(entry, path) ?? (isProposed ? null : contradiction(entry!, label, classes));
    if (problem !== null) throw invalidLine(file, line, problem);
    if (labelOf.has(entry!.id)) throw invalidLine(file, line, `"${path}" was already listed`);
    labelOf.set(entry!.id, label);
  }
  const result = entries.map((entry) =>
    entry.split === 'train' ? { ...entry, label: labelOf.get(entry.id) ?? null } : entry,
  );
  requireLabelInEveryClass(result, classes);
  return result;
}

function headerOf([first]: ReturnType<typeof readCsv>): readonly string[] | null {
  return first?.fields[0] === 'path' && first.fields[1] === 'label' ? first.fields : null;
}

/** Finds entries by id, or by where they lie seen from a folder. */
function finder(entries: readonly ManifestEntry[], folder: string): (path: string) => ManifestEntry | undefined {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const byPlace = new Map(entries.map((entry) => [resolve(entry.path), entry]));
  return (path) => byId.get(path.replace(/^\.\//, '')) ?? byPlace.get(resolve(folder, path));
}

/** Why a path cannot have a label; null when it can. */
function problemOf(entry: ManifestEntry | undefined, path: string): string | null {
  if (entry === undefined) return `no video "${path}" in the data folder`;
  return entry.split === 'train' ? null : `"${path}" is a test video`;
}

/** Why a video cannot have this label; null when it can. */
function contradiction({ id, label: own }: ManifestEntry, label: string, classes: readonly string[]): string | null {
  if (!classes.includes(label)) {
    return `"${label}" is no class; the classes are ${classes.map((name) => `"${name}"`).join(', ')}`;
  }
  if (own === null || own === label) return null;
  return `"${id}" is labelled "${label}" here but lies in the folder of class "${own}"`;
}

function invalidLine(file: string, line: number, problem: string): ChronotopeError {
  return new ChronotopeError('labels-invalid', `${file}, line ${line}: ${problem}`, {
    hint: 'Each line holds the path of a training video below the data folder and its class: path,label.',
    details: { file, line },
  });
}
