import path from 'node:path';
import type { ComparisonSet, LabelBudget } from '../../recipes/comparison.js';
import { fidelityOverrides } from '../../recipes/fidelity.js';
import { loadRecipeOf } from '../../recipes/load.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { pretrainingSettings } from '../adopt-pretraining.js';
import type { TrainOptions } from '../train-timebalance.js';

/** One run of a set: what to train, and its place in the comparison. */
export interface PlannedRun {
  /** The name of the run in the set; runs that differ in seed and labels share it. */
  name: string;
  /** What the choice of labels is called. */
  budget: string;
  /** The classifiers to compare; all if not given. */
  stages?: readonly string[];
  train: Pick<
    TrainOptions,
    'data' | 'split' | 'out' | 'recipe' | 'frames' | 'labelsPerClass' | 'labelDraws' | 'labelsFile' | 'pretrained'
  >;
}

/**
 * All runs of a set in the order of training. Runs that would pre-train the same networks on the same videos take over those
 * of the first of them.
 *
 * @throws ChronotopeError of `loadRecipeOf`
 */
export function plannedRuns(set: ComparisonSet): PlannedRun[] {
  const planned: PlannedRun[] = [];
  const firstOf = new Map<string, string>();
  for (const run of set.runs) {
    const follows = run.fidelity ?? set.fidelity;
    const fidelity = follows === undefined ? [] : fidelityOverrides(follows);
    for (const budget of set.labels) {
      for (const seed of set.seeds) {
        const overrides = [...fidelity, ...set.set, ...run.set, `seed=${seed}`];
        const recipe = loadRecipeOf('timebalance', run.recipe ?? set.recipe, overrides);
        const { split = set.split, ...labels } = labelOptions(budget, set);
        const out = path.join(set.out, run.name, titleOf(budget), `seed-${seed}`);
        const key = pretrainingKey(recipe, split);
        const pretrained = firstOf.get(key);
        if (pretrained === undefined) firstOf.set(key, out);
        planned.push({
          name: run.name,
          budget: titleOf(budget),
          stages: run.stages ?? set.stages,
          train: { data: set.data, split, out, recipe, frames: path.join(set.out, 'frames'), ...labels, pretrained },
        });
      }
    }
  }
  return planned;
}

/** The name of a choice of labels, also as a folder. */
export function titleOf(budget: LabelBudget): string {
  if (typeof budget === 'object') return budget.name;
  return budget === 'all' ? 'all-labels' : `${budget}-per-class`;
}

function labelOptions(
  budget: LabelBudget,
  { labelDraws }: ComparisonSet,
): Pick<TrainOptions, 'labelsPerClass' | 'labelDraws' | 'labelsFile' | 'split'> {
  if (budget === 'all') return {};
  if (typeof budget === 'number') return { labelsPerClass: budget, labelDraws };
  return { labelsFile: budget.file, ...(budget.split === undefined ? {} : { split: budget.split }) };
}

/** Everything that decides about networks pre-trained without labels; the data is one for the whole set. */
function pretrainingKey(recipe: TimeBalanceRecipe, split: string | undefined): string {
  return JSON.stringify({ ...pretrainingSettings(recipe), split });
}
