import { ChronotopeError } from '../errors.js';
import { requireLabelInEveryClass } from './label-split.js';
import { classesOf, type ManifestEntry } from './manifest.js';
import { readCsv } from './readers/csv.js';

/**
 * Takes the labels of the training videos from a CSV file of `path,label` lines: the listed videos get the label of
 * their line, all other training videos become unlabelled. Test videos are left as they are.
 *
 * The path is a video's id (its path below the data folder, with `/`). A first line `path,label` is a header; it may name
 * further columns, such as a confidence, which are passed over, and rows without a label are then, too.
 *
 * @throws ChronotopeError those of `readCsv`; `labels-invalid`, with `details.line`, for a line that has other fields,
 *   names no training video, names it twice, names an unknown class or contradicts the class folder;
 *   `class-without-labels`
 */
export function labelsFromFile(entries: readonly ManifestEntry[], file: string): ManifestEntry[] {
  const classes = classesOf(entries);
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const labelOf = new Map<string, string>();
  const records = readCsv(file);
  const header = headerOf(records);
  for (const { fields, line } of header === null ? records : records.slice(1)) {
    const [path, label] = fields;
    if (header !== null && header.length > 2 && label === '') continue;
    if (path === undefined || label === undefined || fields.length !== (header?.length ?? 2)) {
      throw invalidLine(file, line, `expected "path,label", got "${fields.join(',')}"`);
    }
    const id = path.replace(/^\.\//, '');
    const problem = labelOf.has(id) ? `"${id}" was already listed` : problemOf(byId.get(id), id, label, classes);
    if (problem !== null) throw invalidLine(file, line, problem);
    labelOf.set(id, label);
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

/** Why a video cannot have a label; null when it can. */
function problemOf(
  entry: ManifestEntry | undefined,
  id: string,
  label: string,
  classes: readonly string[],
): string | null {
  if (entry === undefined) return `no video "${id}" in the data folder`;
  if (entry.split !== 'train') return `"${id}" is a test video`;
  if (!classes.includes(label)) {
    return `"${label}" is no class; the classes are ${classes.map((name) => `"${name}"`).join(', ')}`;
  }
  if (entry.label === null || entry.label === label) return null;
  return `"${id}" is labelled "${label}" here but lies in the folder of class "${entry.label}"`;
}

function invalidLine(file: string, line: number, problem: string): ChronotopeError {
  return new ChronotopeError('labels-invalid', `${file}, line ${line}: ${problem}`, {
    hint: 'Each line holds the path of a training video below the data folder and its class: path,label.',
    details: { file, line },
  });
}
