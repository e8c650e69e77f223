import type { ChannelOrder, WeightsFormat } from './layouts.js';

/** A weight whose shape in the file is not that of the network; the network keeps its own. */
export interface ShapeMismatch {
  key: string;
  /** The file's key. */
  foreign: string;
  expected: number[];
  found: number[];
}

/** What became of every weight of a network and of a file. */
export interface WeightsReport {
  file: string;
  format: WeightsFormat;
  /** What the file's weights expected; BGR ones were turned to RGB. */
  channels: ChannelOrder;
  /** What wrappers put before every key, such as DataParallel's `module.`. */
  wrapper: string;
  /** Keys of the network that were loaded. */
  matched: string[];
  /** Keys of the network that the file lacks. */
  missing: string[];
  /** Keys of the file that the network lacks. */
  unexpected: string[];
  mismatched: ShapeMismatch[];
  /** Objects of Python classes anywhere in the file, and what stood between the weights and is none. */
  skipped: { path: string; kind: string }[];
}

const SHOWN = 6;

/** A report in lines for people. */
export function formatWeightsReport(report: WeightsReport): string {
  const { file, format, channels, wrapper, matched, missing, unexpected, mismatched, skipped } = report;
  const total = matched.length + missing.length + mismatched.length;
  const notes = [
    ...(channels === 'bgr' ? ['first convolution turned from BGR to RGB'] : []),
    ...(wrapper === '' ? [] : [`"${wrapper}" taken off every key`]),
  ];
  return [
    `${file}: ${format} format${notes.map((note) => `, ${note}`).join('')}`,
    `  ${matched.length} of ${total} weights of the network loaded`,
    ...listed('not in the file', missing),
    ...listed(
      'of another shape, not loaded',
      mismatched.map(({ key, expected, found }) => `${key} is [${found.join(', ')}], not [${expected.join(', ')}]`),
    ),
    ...listed('not in the network', unexpected),
    ...listed(
      'no weights',
      skipped.map(({ path, kind }) => `${path} (${kind})`),
    ),
  ].join('\n');
}

function listed(what: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const more = items.length > SHOWN ? [`    … and ${items.length - SHOWN} more`] : [];
  return [`  ${items.length} ${what}:`, ...items.slice(0, SHOWN).map((item) => `    ${item}`), ...more];
}
