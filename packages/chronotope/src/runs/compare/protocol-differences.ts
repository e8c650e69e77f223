import { createHash } from 'node:crypto';
import { groupBy } from '../../data/group-by.js';
import type { RunProtocol, RunResult } from './run-result.js';

/** A run in its place in a comparison. */
export interface PlacedRun {
  name: string;
  budget: string;
  result: RunResult;
}

/** The parts of a protocol that all compared runs must share. */
const SHARED: [field: string, value: (protocol: RunProtocol) => unknown, inWords: (protocol: RunProtocol) => string][] =
  [
    ['classes', ({ classes }) => classes, ({ classes }) => `${classes.length} classes`],
    ['test videos', ({ test }) => sorted(test), ({ test }) => `${test.size} videos`],
    ['clips of a test video', ({ clips }) => clips, ({ clips }) => String(clips)],
    ['crops of a clip', ({ crops }) => crops, ({ crops }) => String(crops)],
    ['averaged over clips', ({ average }) => average, ({ average }) => average],
    ['training videos', ({ training }) => training, ({ training }) => `${training.length} videos`],
  ];

/**
 * Why runs may not be ranked: every field of the protocol in which they differ, with what it is in which run. Runs of one
 * budget must also know the same labels, all in all: each name the same label sets, in any order of seeds and draws.
 *
 * @returns nothing if they may
 */
export function protocolDifferences(runs: readonly PlacedRun[]): string[] {
  const shared = SHARED.flatMap(([field, value, inWords]) => {
    const kinds = [...groupBy([...runs], ({ result }) => JSON.stringify(value(result.protocol))).values()];
    if (kinds.length === 1) return [];
    const counts = new Set(kinds.map(([first]) => inWords(first!.result.protocol)));
    const others = counts.size < kinds.length ? ' (not the same ones)' : '';
    const each = kinds.map((kind) => `${inWords(kind[0]!.result.protocol)} in ${namesOf(kind)}`);
    return [`${field}: ${each.join(', ')}${others}`];
  });
  return [...shared, ...labelDifferences(runs)];
}

function labelDifferences(runs: readonly PlacedRun[]): string[] {
  return [...groupBy([...runs], ({ budget }) => budget)].flatMap(([budget, ofBudget]) => {
    const byName = [...groupBy(ofBudget, ({ name }) => name)].map(([name, own]) => ({
      name,
      sets: own.flatMap(({ result }) => result.protocol.labels.map(hashOf)).sort(),
    }));
    const kinds = [...groupBy(byName, ({ sets }) => JSON.stringify(sets)).values()];
    if (kinds.length === 1) return [];
    const each = kinds.map(
      (kind) => `${counted(kind[0]!.sets.length)} in ${kind.map(({ name }) => name).join(' and ')}`,
    );
    return [`label sets of ${budget}: other labels are known: ${each.join(', ')}`];
  });
}

function namesOf(runs: readonly PlacedRun[]): string {
  return [...new Set(runs.map(({ name }) => name))].join(' and ');
}

function sorted(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

function hashOf(labels: ReadonlyMap<string, string>): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(labels)))
    .digest('hex');
}

function counted(sets: number): string {
  return sets === 1 ? '1 label set' : `${sets} label sets`;
}
