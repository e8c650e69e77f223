import { ChronotopeError } from '../errors.js';
import { randomStream } from '../random.js';
import { classesOf, type ManifestEntry, readTextFile } from './manifest.js';

export interface LabelDraw {
  /** Labelled videos to keep in each class. */
  perClass: number;
  seed: number;
  /** Number of the draw: other draws of the same seed are independent. Default 0. */
  draw?: number;
}

/**
 * Keeps the labels of `perClass` training videos in each class, drawn at random, and makes all other training videos
 * unlabelled. Test videos are left as they are.
 *
 * Draws are nested: with the same seed and draw, the labelled videos of a smaller budget are among those of a larger
 * one. The result depends on the ids and labels alone, not on the order of the entries.
 *
 * @throws ChronotopeError `too-few-labels` when a class has fewer labelled videos than asked for; `bad-label-budget`
 *   unless `perClass` is a positive integer
 */
export function drawLabels(
  entries: readonly ManifestEntry[],
  { perClass, seed, draw = 0 }: LabelDraw,
): ManifestEntry[] {
  if (!Number.isInteger(perClass) || perClass < 1) {
    throw new ChronotopeError('bad-label-budget', `${perClass} labelled videos a class: expected a positive integer`);
  }
  const labelled = entries.filter((entry) => entry.split === 'train' && entry.label !== null);
  const kept = new Set<string>();
  for (const [index, name] of classesOf(labelled).entries()) {
    const ids = labelled.flatMap((entry) => (entry.label === name ? [entry.id] : [])).sort();
    if (ids.length < perClass) {
      throw new ChronotopeError(
        'too-few-labels',
        `class "${name}" has ${ids.length} labelled training video${ids.length === 1 ? '' : 's'}, ${perClass} were asked for`,
        {
          hint: 'Ask for fewer labels a class, or add videos.',
          details: { class: name, available: ids.length, perClass },
        },
      );
    }
    const order = randomStream(seed, 'labels', draw, index).permutation(ids.length);
    for (const position of order.slice(0, perClass)) {
      kept.add(ids[position]!);
    }
  }
  return keepLabels(entries, kept);
}

/**
 * Takes the labels of the training videos from a CSV file of `path,label` lines: the listed videos get the label of
 * their line, all other training videos become unlabelled. Test videos are left as they are.
 *
 * The path is a video's id (its path below the data folder, with `/`). A first line `path,label` is a header; fields
 * may be quoted as in RFC 4180; blank lines are skipped.
 *
 * @throws ChronotopeError `labels-unreadable`; `labels-invalid`, with `details.line`, for a line that is malformed, names
 *   no training video, names it twice, names an unknown class or contradicts the class folder; `class-without-labels`
 */
export function labelsFromFile(entries: readonly ManifestEntry[], file: string): ManifestEntry[] {
  const classes = classesOf(entries);
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const labelOf = new Map<string, string>();
  const lines = readTextFile(file, 'labels-unreadable').split(/\r?\n/);
  for (const [index, text] of lines.entries()) {
    if (text.trim() === '') {
      continue;
    }
    const invalid = (problem: string): ChronotopeError => invalidLine(file, index + 1, problem);
    const fields = csvFields(text);
    if (fields === null || fields.length !== 2) {
      throw invalid(`expected "path,label", got "${text.trim()}"`);
    }
    const [path, label] = fields as [string, string];
    if (index === 0 && path === 'path' && label === 'label') {
      continue;
    }
    const id = path.replace(/^\.\//, '');
    const entry = byId.get(id);
    if (entry === undefined) {
      throw invalid(`no video "${id}" in the data folder`);
    }
    if (entry.split !== 'train') {
      throw invalid(`"${id}" is a test video`);
    }
    if (labelOf.has(id)) {
      throw invalid(`"${id}" was already listed`);
    }
    if (!classes.includes(label)) {
      throw invalid(`"${label}" is no class; the classes are ${classes.map((name) => `"${name}"`).join(', ')}`);
    }
    if (entry.label !== null && entry.label !== label) {
      throw invalid(`"${id}" is labelled "${label}" here but lies in the folder of class "${entry.label}"`);
    }
    labelOf.set(id, label);
  }
  const result = entries.map((entry) =>
    entry.split === 'train' ? { ...entry, label: labelOf.get(entry.id) ?? null } : entry,
  );
  requireLabelInEveryClass(result, classes);
  return result;
}

/**
 * Checks that every class has a labelled training video.
 *
 * @throws ChronotopeError `class-without-labels`, naming the classes
 */
export function requireLabelInEveryClass(entries: readonly ManifestEntry[], classes: readonly string[]): void {
  const labelled = new Set(classesOf(entries.filter((entry) => entry.split === 'train')));
  const missing = classes.filter((name) => !labelled.has(name));
  if (missing.length > 0) {
    const names = missing.map((name) => `"${name}"`).join(', ');
    throw new ChronotopeError('class-without-labels', `no labelled training video of class ${names}`, {
      hint: 'Label at least one video of every class, or leave the class out.',
      details: { classes: missing },
    });
  }
}

function keepLabels(entries: readonly ManifestEntry[], kept: ReadonlySet<string>): ManifestEntry[] {
  return entries.map((entry) => (entry.split === 'train' && !kept.has(entry.id) ? { ...entry, label: null } : entry));
}

/** The fields of one CSV line (RFC 4180), trimmed unless quoted; `null` when a quote is not closed. */
function csvFields(line: string): string[] | null {
  const fields: string[] = [];
  const field = /\s*(?:"((?:[^"]|"")*)"\s*|([^",]*))(,|$)/y;
  for (;;) {
    const match = field.exec(line);
    if (match === null) {
      return null;
    }
    fields.push(match[1] === undefined ? match[2]!.trim() : match[1].replaceAll('""', '"'));
    if (match[3] === '') {
      return fields;
    }
  }
}

function invalidLine(file: string, line: number, problem: string): ChronotopeError {
  return new ChronotopeError('labels-invalid', `${file}, line ${line}: ${problem}`, {
    hint: 'Each line holds the path of a training video below the data folder and its class: path,label.',
    details: { file, line },
  });
}
