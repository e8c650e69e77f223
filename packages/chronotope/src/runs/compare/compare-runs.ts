import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { groupBy } from '../../data/group-by.js';
import { ChronotopeError } from '../../errors.js';
import type { Comparison } from '../../explain/comparison/content.js';
import { renderComparison } from '../../explain/comparison/render-comparison.js';
import { loadComparison } from '../../recipes/comparison.js';
import { writeFileAtomic } from '../../training/json-files.js';
import { firstDecides, firstDoes, heard, isFirst, withProcesses } from '../../training/processes.js';
import type { Progress } from '../../training/progress.js';
import { readRunData } from '../run-data.js';
import { RunFolder } from '../run-folder.js';
import { classifierRecipe } from '../run-recipe.js';
import { trainTimeBalance } from '../train-timebalance.js';
import { type PlannedRun, plannedRuns } from './plan.js';
import { type RunResult, readRunResult } from './run-result.js';
import { type ComparedRun, summarise } from './summarise.js';

/** Settings of {@link compareRuns}. */
export interface CompareOptions {
  /** Only these classifiers. By default those that a set of runs names, or all. */
  stages?: readonly string[];
  /** The HTML page. Default: `comparison.html` in the folder of a set of runs; none for run folders. */
  out?: string;
  /** Gives the numbers of runs with different protocols as well, side by side and without ranks. Default false. */
  unranked?: boolean;
  /** How much work a kill may cost, in seconds. Default 60. */
  saveEverySeconds?: number;
  progress?: Progress;
  signal?: AbortSignal;
}

/** A comparison, and the page it was written to. */
export interface WrittenComparison extends Comparison {
  page: string | null;
}

/**
 * Compares runs: those of a set, which are trained as far as they are not, or finished run folders.
 *
 * Started as several processes (by chronotope-run, torchrun or the like) it trains each run on all of them, one run after
 * the other; the first process writes the page.
 *
 * @param inputs one YAML file with a set of runs, or run folders
 * @throws ChronotopeError `protocols-differ` for runs that may not be ranked, naming the fields; `nothing-to-compare`;
 *   those of `loadComparison`, `trainTimeBalance` and `readRunResult`
 */
export function compareRuns(inputs: readonly string[], options: CompareOptions = {}): Promise<WrittenComparison> {
  return withProcesses(() => compare(inputs, options));
}

async function compare(inputs: readonly string[], options: CompareOptions): Promise<WrittenComparison> {
  const set = inputs.length === 1 && isFile(inputs[0]!) ? inputs[0]! : null;
  const runs = set === null ? finishedRuns(inputs) : await trainSet(set, options);
  const wanted = runs.map((run) => (options.stages === undefined ? run : { ...run, stages: options.stages }));
  const comparison = summarise(wanted);
  if (comparison.rows.length === 0) {
    throw new ChronotopeError('nothing-to-compare', `no run has ${(options.stages ?? []).join(', ')}`, {
      hint: `Classifiers are ${[...new Set(runs.flatMap(stagesOf))].join(', ')}.`,
    });
  }
  if (comparison.differences.length > 0 && options.unranked !== true) {
    throw new ChronotopeError(
      'protocols-differ',
      `the runs may not be ranked, because they differ in\n${comparison.differences.map((line) => `  ${line}`).join('\n')}`,
      {
        hint: 'Test or train them alike, or add --unranked to see the numbers side by side.',
        details: { differences: comparison.differences },
      },
    );
  }
  const page = options.out ?? (set && path.join(loadComparison(set).out, 'comparison.html'));
  if (page !== null && isFirst()) writeFileAtomic(page, renderComparison(comparison));
  return { ...comparison, page };
}

/** The runs that a set asks for, in the order of training, and whether each is finished. */
export function comparisonPlan(file: string): (PlannedRun & { isFinished: boolean })[] {
  return plannedRuns(loadComparison(file)).map((run) => ({ ...run, isFinished: isFinished(run) }));
}

async function trainSet(file: string, options: CompareOptions): Promise<ComparedRun[]> {
  const { signal, saveEverySeconds } = options;
  const progress = heard(options.progress);
  const planned = plannedRuns(loadComparison(file));
  for (const [index, run] of planned.entries()) {
    const { name, budget, train } = run;
    if (await firstDecides(() => isFinished(run))) continue;
    progress.note(`run ${index + 1} of ${planned.length}: ${name}, ${budget}, seed ${train.recipe.seed}: ${train.out}`);
    await trainTimeBalance({ ...train, saveEverySeconds, progress, signal });
  }
  // The others wait for the first one's last test.
  await firstDoes(() => {});
  return planned.map(({ name, budget, stages, train }) => ({ name, budget, stages, result: readRunResult(train.out) }));
}

/** Whether a folder holds this very run, trained and tested; anything else is for the training to judge. */
function isFinished({ train }: PlannedRun): boolean {
  if (!existsSync(path.join(train.out, 'evaluation.json'))) return false;
  const run = RunFolder.open(train.out);
  const { folder, draws, choice } = readRunData(run);
  const { labelsPerClass, labelsFile, pretrained, labelDraws = 1 } = train;
  const wanted = JSON.stringify({ labelsPerClass, labelsFile, pretrained });
  return (
    isDeepStrictEqual(classifierRecipe(run), train.recipe) &&
    path.resolve(folder) === path.resolve(train.data) &&
    draws === labelDraws &&
    JSON.stringify(choice) === wanted
  );
}

/** Run folders that differ only in the seed share a name; the number of known labels is their budget. */
function finishedRuns(folders: readonly string[]): ComparedRun[] {
  const results = folders.map(readRunResult);
  const byRecipe = [...groupBy(results, ({ recipe }) => JSON.stringify({ ...recipe, seed: null })).values()];
  const names = byRecipe.map((runs) => nameOf(runs, results));
  return results.map((result) => {
    const group = byRecipe.findIndex((runs) => runs.includes(result));
    const counts = [...new Set(result.protocol.labels.map(({ size }) => size))];
    return { name: names[group]!, budget: `${counts.join(' and ')} labelled`, result };
  });
}

/** The end of the first folder's path, as much of it as tells it from the folders of other names. */
function nameOf([first, ...same]: readonly RunResult[], all: readonly RunResult[]): string {
  const others = all.filter((other) => other !== first && !same.includes(other));
  const parts = first!.folder.split(path.sep);
  const lengths = Array.from({ length: parts.length }, (_, k) => k + 1);
  const ends = lengths.map((length) => parts.slice(-length).join(path.sep));
  return ends.find((end) => others.every(({ folder }) => !folder.endsWith(path.sep + end))) ?? first!.folder;
}

function stagesOf({ result }: ComparedRun): string[] {
  return result.classifiers.map(({ stage }) => stage);
}

function isFile(input: string): boolean {
  return statSync(input, { throwIfNoEntry: false })?.isFile() === true;
}
