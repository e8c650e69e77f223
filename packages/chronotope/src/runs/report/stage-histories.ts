import type { StageHistory } from '../../explain/content.js';
import { CLASSIFIER_STAGES, PRETRAINING_STAGES, STAGE_TITLES, stageName } from '../../methods/timebalance/pipeline.js';
import type { RunFolder } from '../run-folder.js';

const PRETRAINING_TITLES: Record<(typeof PRETRAINING_STAGES)[number], string> = {
  'pretrain-invariant': 'pre-training of the invariant teacher',
  'pretrain-distinctive': 'pre-training of the distinctive teacher',
  'pretrain-student': 'pre-training of the student',
};

/** What every stage that was begun has logged, in the order of training. */
export function stageHistories(run: RunFolder, draws: number): StageHistory[] {
  const pretraining = PRETRAINING_STAGES.map((name) => history(run, name, PRETRAINING_TITLES[name], null));
  const classifiers = Array.from({ length: draws }, (_, draw) =>
    CLASSIFIER_STAGES.map((stage) => history(run, stageName(draw, stage), STAGE_TITLES[stage], draw)),
  ).flat();
  return [...pretraining, ...classifiers].filter(({ done, lines }) => done || lines.length > 0);
}

function history(run: RunFolder, name: string, title: string, draw: number | null): StageHistory {
  const stage = run.stage(name);
  const { seconds = null, from = null } = stage.isDone ? (stage.result() as { seconds?: number; from?: string }) : {};
  return { name, title, draw, done: stage.isDone, seconds, from, lines: stage.metrics() };
}
