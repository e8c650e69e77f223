import type { StageHistory } from '../../explain/content.js';
import { classifierStages, pretrainingStages, stageName, stageTitle } from '../../methods/timebalance/stages.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import type { RunFolder } from '../run-folder.js';

/** What every stage that was begun has logged, in the order of training. */
export function stageHistories(run: RunFolder, recipe: TimeBalanceRecipe, draws: number): StageHistory[] {
  const pretraining = pretrainingStages(recipe).map((name) => stageHistory(run, name, stageTitle(name), null));
  const classifiers = Array.from({ length: draws }, (_, draw) =>
    classifierStages(recipe).map((stage) => stageHistory(run, stageName(draw, stage), stageTitle(stage), draw)),
  ).flat();
  return [...pretraining, ...classifiers].filter(({ done, lines }) => done || lines.length > 0);
}

/** What one stage has logged. */
export function stageHistory(run: RunFolder, name: string, title: string, draw: number | null): StageHistory {
  const stage = run.stage(name);
  const { seconds = null, from = null } = stage.isDone ? (stage.result() as { seconds?: number; from?: string }) : {};
  return { name, title, draw, done: stage.isDone, seconds, from, lines: stage.metrics() };
}
