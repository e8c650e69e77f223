import { groupBy } from '../../data/group-by.js';
import { Bootstrap, meanOf } from '../../evaluation/bootstrap.js';
import type { Budget, ComparedCell, ComparedRow, Comparison } from '../../explain/comparison/content.js';
import { type PlacedRun, protocolDifferences } from './protocol-differences.js';
import type { RunResult } from './run-result.js';

/** A finished run, its place in the comparison, and which of its classifiers are wanted. */
export interface ComparedRun extends PlacedRun {
  stages?: readonly string[];
}

/** One classifier with one choice of labels. */
interface Measured {
  /** Top-1 of each seed and draw. */
  values: number[];
  /** Test videos, in order. */
  test: string[];
  /** For each test video the share of seeds and draws in which it was right. */
  perVideo: number[];
}

/** The table of a comparison: means and spreads over seeds and label draws, intervals over test videos, ranks. */
export function summarise(runs: readonly ComparedRun[]): Comparison {
  const differences = protocolDifferences(runs);
  const { protocol, groups } = runs[0]!.result;
  const budgets = budgetsOf(runs);
  const titles = rowsOf(runs);
  const test = [...protocol.test.keys()];
  const bootstrapOf = (ids: readonly string[]) =>
    new Bootstrap(ids.length, { groups: ids.map((id) => groups.get(id)) });
  const bootstrap = bootstrapOf(test);
  const columns = budgets.map(({ name: budget }) => {
    const measured = titles.map((row) => measure(runs, { ...row, budget }));
    // Without a common list of test videos each row has an interval over its own.
    return differences.length === 0
      ? rankedCells(measured, bootstrap)
      : measured.map((one) => one && { ...cell(one, bootstrapOf(one.test)), rank: null, behindBest: null });
  });
  return {
    classes: protocol.classes,
    testVideos: test.length,
    protocol: `${protocol.clips} clips × ${protocol.crops} crops of a video, mean of ${protocol.average}`,
    intervals: bootstrap.settings,
    budgets,
    rows: titles.map((row, k): ComparedRow => ({ ...row, cells: columns.map((cells) => cells[k]!) })),
    differences,
    runs: runs.map(({ name, budget, result }) => ({ name, budget, seed: result.recipe.seed, folder: result.folder })),
  };
}

/** Budgets from few labels to many. */
function budgetsOf(runs: readonly ComparedRun[]): Budget[] {
  return [...groupBy(runs, ({ budget }) => budget)]
    .map(([name, own]) => {
      const counts = own.flatMap(({ result }) => result.protocol.labels.map(({ size }) => size));
      return { name, labelled: meanOf(counts) };
    })
    .sort((a, b) => a.labelled - b.labelled);
}

/** Every wanted classifier of every name, in the order of the runs. */
function rowsOf(runs: readonly ComparedRun[]): { run: string; stage: string; title: string }[] {
  const severalNames = new Set(runs.map(({ name }) => name)).size > 1;
  const all = runs.flatMap(({ name, result, stages }) =>
    result.classifiers
      .filter(({ stage }) => stages === undefined || stages.includes(stage))
      .map(({ stage, title }) => ({ run: name, stage, title: severalNames ? `${name}: ${title}` : title })),
  );
  return [...new Map(all.map((row) => [`${row.run}\n${row.stage}`, row])).values()];
}

function measure(
  runs: readonly ComparedRun[],
  wanted: { run: string; stage: string; budget: string },
): Measured | null {
  const own = runs.filter(({ name, budget }) => name === wanted.run && budget === wanted.budget);
  const draws = own.flatMap(({ result }) => drawsOf(result, wanted.stage));
  if (draws.length === 0) return null;
  const test = [...draws[0]!.keys()].filter((id) => draws.every((draw) => draw.has(id)));
  return {
    test,
    values: draws.map((draw) => meanOf([...draw.values()].map(Number))),
    perVideo: test.map((id) => meanOf(draws.map((draw) => Number(draw.get(id))))),
  };
}

function drawsOf(result: RunResult, stage: string): readonly ReadonlyMap<string, boolean>[] {
  return result.classifiers.find((classifier) => classifier.stage === stage)?.draws ?? [];
}

/** The cells of one budget, all over the same test videos in the same order. */
function rankedCells(measured: readonly (Measured | null)[], bootstrap: Bootstrap): (ComparedCell | null)[] {
  const present = measured.filter((one) => one !== null);
  const means = present.map(({ perVideo }) => meanOf(perVideo));
  const best = present[means.indexOf(Math.max(...means))];
  return measured.map((one) => {
    if (one === null) return null;
    const own = meanOf(one.perVideo);
    return {
      ...cell(one, bootstrap),
      rank: 1 + means.filter((mean) => mean > own).length,
      behindBest: one === best ? null : bootstrap.difference(one.perVideo, best!.perVideo),
    };
  });
}

function cell(
  { values, perVideo }: Measured,
  bootstrap: Bootstrap,
): Pick<ComparedCell, 'values' | 'top1' | 'deviation'> {
  return { values, top1: bootstrap.share(perVideo), deviation: deviation(values) };
}

function deviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
