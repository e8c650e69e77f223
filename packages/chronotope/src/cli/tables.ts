import { formatBytes, type StoreKind } from '@chronotope/video';
import Table from 'cli-table3';
import type { Leak } from '../data/splits/leaks.js';
import type { PartSize } from '../data/splits/make-split.js';
import type { Interval } from '../evaluation/bootstrap.js';
import { stageTitle } from '../methods/timebalance/stages.js';
import type { RunEvaluation } from '../runs/evaluate.js';
import type { FilePrediction } from '../runs/predict.js';

/** Top-1 of every classifier: the mean over the label draws, and each draw. */
export function evaluationTable(evaluation: RunEvaluation): string {
  const table = plainTable(['top-1 on the test videos', 'mean', level(evaluation.protocol), 'each label draw']);
  for (const { stage, draws, top1 } of evaluation.stages) {
    const values = draws.map(({ top1 }) => top1);
    table.push([stageTitle(stage), percent(top1.value), range(top1), values.map(percent).join('  ')]);
  }
  const chance = percent(1 / evaluation.classes.length);
  const excluded = evaluation.excluded.length === 0 ? '' : `, ${evaluation.excluded.length} left out`;
  const { checkpoint } = evaluation.protocol;
  const weights = checkpoint === undefined ? '' : `; checkpoint ${checkpoint}`;
  const classes = `${evaluation.classes.length} classes (chance ${chance})`;
  return `${table}\n${evaluation.videos} test videos${excluded}, ${classes}${weights}\n`;
}

/** Accuracy of supervised-only and the student (or of the stages tested) in each class, mean over the label draws. */
export function classTable(evaluation: RunEvaluation): string {
  const both = evaluation.stages.filter(({ stage }) => stage === 'supervised' || stage === 'student');
  const shown = both.length > 0 ? both : evaluation.stages;
  const table = plainTable(['class', 'videos', ...shown.map(({ stage }) => stage)]);
  for (const [index, name] of evaluation.classes.entries()) {
    const { videos } = evaluation.stages[0]!.draws[0]!.perClass[index]!;
    const values = shown.map(({ draws }) => mean(draws.map(({ perClass }) => perClass[index]!.top1)));
    table.push([name, String(videos), ...values.map(percent)]);
  }
  return `${table}\n`;
}

/** The most probable classes of each file. */
export function predictionTable(predictions: readonly FilePrediction[], top: number): string {
  const table = plainTable(['file', 'class', 'confidence']);
  for (const prediction of predictions) {
    if ('error' in prediction) {
      table.push([prediction.file, `not predicted: ${prediction.error.message}`, '']);
      continue;
    }
    for (const [rank, { name, confidence }] of prediction.classes.slice(0, top).entries()) {
      table.push([rank === 0 ? prediction.file : '', name, percent(confidence)]);
    }
  }
  return `${table}\n`;
}

/** How many videos the parts of a data set have. */
export function partTable(parts: readonly PartSize[]): string {
  const table = plainTable(['part', 'labelled', 'unlabelled', 'classes']);
  for (const { part, labelled, unlabelled, classes } of parts) {
    table.push([part, String(labelled), String(unlabelled), String(classes)]);
  }
  return `${table}\n`;
}

/** Leaks between the parts of a data set, the first of each kind with names; empty without any. */
export function leakRemarks(leaks: readonly Leak[]): string {
  const titles = { file: 'the same file', group: 'the same group', content: 'files with the same content' };
  return (['file', 'group', 'content'] as const)
    .flatMap((kind) => {
      const [first, ...others] = leaks.filter((leak) => leak.kind === kind);
      if (first === undefined) return [];
      const more = others.length === 0 ? '' : `, and ${others.length} more`;
      const ids = first.ids.length > 4 ? [...first.ids.slice(0, 4), '…'] : first.ids;
      return [`leak: ${titles[kind]} in ${first.parts.join(' and ')}: ${first.shared} (${ids.join(', ')})${more}\n`];
    })
    .join('');
}

/** The frames in a store, one row for each format and settings. */
export function storeTable(kinds: readonly StoreKind[]): string {
  const table = plainTable(['format', 'short side', 'fps', 'most frames', 'videos', 'frames', 'size']);
  for (const { format, shortSide, fps, maxFrames, videos, frames, bytes } of kinds) {
    const counts = [String(videos), String(frames), formatBytes(bytes)];
    table.push([format, String(shortSide), String(fps ?? 'all'), String(maxFrames ?? 'all'), ...counts]);
  }
  return `${table}\n`;
}

/** A share as a percentage, `-` where there is none. */
export function percent(value: number): string {
  return Number.isNaN(value) ? '-' : `${(100 * value).toFixed(1)} %`;
}

/** Arithmetic mean; NaN of no values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The ends of an interval of shares. */
export function range({ low, high }: Interval): string {
  return `${(100 * low).toFixed(1)} to ${percent(high)}`;
}

/** Heading of a column of intervals. */
export function level({ intervals }: { intervals: { level: number } }): string {
  return `${Number((100 * intervals.level).toFixed(1))} % interval`;
}

/** A table with these heads, without colours, for any output. */
export function plainTable(head: string[]) {
  return new Table({ head, style: { head: [], border: [], compact: true } });
}
