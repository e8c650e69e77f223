import { existsSync } from 'node:fs';
import path from 'node:path';
import { ChronotopeError } from '../../errors.js';
import { type ClassifierStage, stageTitle } from '../../methods/timebalance/stages.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { readJson } from '../../training/json-files.js';
import type { RunEvaluation } from '../evaluate.js';
import { readRunData } from '../run-data.js';
import { RunFolder } from '../run-folder.js';
import { classifierRecipe } from '../run-recipe.js';

/** How a run was tested and what it had to learn from: what must be the same for two runs to be ranked. */
export interface RunProtocol {
  classes: readonly string[];
  /** True class of each test video, by id. */
  test: ReadonlyMap<string, string>;
  clips: number;
  crops: number;
  average: string;
  /** Ids of the training videos, in order. */
  training: readonly string[];
  /** The known labels of each draw, by id. */
  labels: readonly ReadonlyMap<string, string>[];
}

/** A finished and tested run. */
export interface RunResult {
  folder: string;
  recipe: TimeBalanceRecipe;
  protocol: RunProtocol;
  /** What a test video shares with others, where that is known. */
  groups: ReadonlyMap<string, string | undefined>;
  classifiers: {
    stage: ClassifierStage;
    title: string;
    /** For each label draw whether each test video was right, by id. */
    draws: ReadonlyMap<string, boolean>[];
  }[];
}

/**
 * Reads what a run's last whole evaluation found.
 *
 * @throws ChronotopeError `not-a-run-folder`, `no-classifiers`; `not-evaluated` without an evaluation of the run's own test
 *   videos; `training-videos-unknown` for a run of an early version
 */
export function readRunResult(folder: string): RunResult {
  const run = RunFolder.open(folder);
  const recipe = classifierRecipe(run);
  const file = run.path('evaluation.json');
  if (!existsSync(file)) throw notEvaluated(folder, 'has not been tested');
  const evaluation = readJson(file) as RunEvaluation;
  const data = readRunData(run);
  const entries = new Map(data.test.map((entry) => [entry.id, entry]));
  if (evaluation.ids === undefined || evaluation.ids.some((id) => !entries.has(id))) {
    throw notEvaluated(folder, 'was last tested on other videos than its own');
  }
  // In one order for all runs, so that their videos can be compared one by one.
  const order = [...evaluation.ids.keys()].sort((a, b) => (evaluation.ids[a]! < evaluation.ids[b]! ? -1 : 1));
  const test = new Map(order.map((video) => [evaluation.ids[video]!, entries.get(evaluation.ids[video]!)!.label!]));
  const { clips, crops, average } = evaluation.protocol;
  return {
    folder: path.resolve(folder),
    recipe,
    protocol: {
      ...{ classes: evaluation.classes, test, clips, crops, average },
      training: data.train.map(({ id }) => id).sort(),
      labels: data.labels.map((labels) => new Map(Object.entries(labels))),
    },
    groups: new Map([...test.keys()].map((id) => [id, entries.get(id)!.group])),
    classifiers: evaluation.stages.map(({ stage, draws }) => ({
      stage,
      title: stageTitle(stage),
      draws: draws.map(({ predicted }) => {
        const answers = order.map((video) => [evaluation.ids[video]!, evaluation.classes[predicted[video]!]] as const);
        return new Map(answers.map(([id, answer]) => [id, answer === test.get(id)]));
      }),
    })),
  };
}

function notEvaluated(folder: string, problem: string): ChronotopeError {
  return new ChronotopeError('not-evaluated', `${folder} ${problem}`, {
    hint: `Test it first: chronotope evaluate ${folder}`,
  });
}
