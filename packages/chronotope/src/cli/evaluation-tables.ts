import type { Interval } from '../evaluation/bootstrap.js';
import { stageTitle } from '../methods/timebalance/stages.js';
import type { RunEvaluation } from '../runs/evaluate.js';
import type { FeatureEvaluation } from '../runs/evaluate-features.js';
import type { FineTuneEvaluation } from '../runs/evaluate-fine-tune.js';
import { level, mean, percent, plainTable, range } from './tables.js';

/** The student against each other classifier: paired bootstrap and McNemar's test. Empty without comparisons. */
export function comparisonTable({ comparisons, protocol }: RunEvaluation): string {
  if (comparisons.length === 0) return '';
  const table = plainTable(['student minus', 'top-1', level(protocol), "McNemar's p, each label draw"]);
  for (const { second, top1, mcnemar } of comparisons) {
    table.push([
      stageTitle(second),
      points(top1.value),
      pointRange(top1),
      mcnemar.map(({ p }) => pValue(p)).join('  '),
    ]);
  }
  return `${table}\n`;
}

/** Top-5 and calibration of every classifier, mean over the label draws. */
export function calibrationTable({ stages }: RunEvaluation): string {
  const table = plainTable(['mean over the label draws', 'top-5', 'ECE', 'Brier', 'NLL']);
  for (const { stage, draws } of stages) {
    const calibrations = draws.flatMap(({ calibration }) => calibration ?? []);
    table.push([
      stageTitle(stage),
      percent(mean(draws.map(({ top5 }) => top5))),
      ...(['ece', 'brier', 'nll'] as const).map((key) => mean(calibrations.map((one) => one[key])).toFixed(3)),
    ]);
  }
  return `${table}\n`;
}

/** The measures of frozen features: a row for each stage, mean over its label draws. */
export function featureTable(evaluation: FeatureEvaluation): string {
  const { protocol, stages, videos, excluded } = evaluation;
  const [first] = stages;
  // The linear probe's only measure has room for its interval; the many of the others have theirs in the JSON.
  const single = first!.measures.length === 1;
  const table = plainTable([
    '',
    ...first!.measures.map(({ name }) => name),
    ...(single ? [level(protocol), first!.draws[0]![0]!.sgdProbe ? 'learning rate' : 'penalty'] : []),
  ]);
  for (const { title, measures, draws } of stages) {
    const chosen = draws.map(([result]) => result!.probe?.penalty ?? result!.sgdProbe?.learningRate);
    const extra = single ? [range(measures[0]!), chosen.map(String).join('  ')] : [];
    table.push([title, ...measures.map(({ value }) => percent(value)), ...extra]);
  }
  const widest = Math.max(...stages.flatMap(({ measures }) => measures.map(({ low, high }) => (high - low) / 2)));
  const leftOut = excluded.length === 0 ? '' : `, ${excluded.length} left out`;
  const training = protocol.training.join(' and ');
  const notes = [
    `${videos} test videos against ${training} labelled training videos (${protocol.labels} labels)${leftOut};`,
    `${protocol.features} features, ${count(protocol.clips, 'clip')} x ${count(protocol.crops, 'crop')} a video.`,
    single ? '' : `The ${level(protocol)}s reach up to ${points(widest).slice(1)} to either side; --json prints each.`,
  ];
  return `${table}\n${notes.join(' ').trim()}\n`;
}

/** The accuracies of fine-tuned networks: a row for each stage, mean over its label draws. */
export function fineTuneTable(evaluation: FineTuneEvaluation): string {
  const { protocol, stages, videos, excluded, classes } = evaluation;
  const table = plainTable(['fine-tuned from', 'top-1', level(protocol), 'top-5', 'each', 'on training clips']);
  for (const { title, top1, top5, draws } of stages) {
    const each = draws.map((draw) => percent(draw.top1)).join('  ');
    const onTraining = draws.map(({ trainingAccuracy }) => percent(trainingAccuracy)).join('  ');
    table.push([title, percent(top1.value), range(top1), percent(top5.value), each, onTraining]);
  }
  const { batch, learningRate, backboneFactor } = protocol.settings;
  const steps = [...new Set(stages.flatMap(({ draws }) => draws.map((draw) => draw.steps)))].join(' and ');
  const leftOut = excluded.length === 0 ? '' : `, ${excluded.length} left out`;
  const notes = [
    `${videos} test videos, ${classes.length} classes (chance ${percent(1 / classes.length)});`,
    `${protocol.training.join(' and ')} labelled training videos (${protocol.labels} labels)${leftOut};`,
    `${steps} steps of ${batch}, learning rate ${learningRate}, ${Number((learningRate * backboneFactor).toPrecision(3))} for the backbone.`,
  ];
  return `${table}\n${notes.join(' ')}\n`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** A difference of shares in percentage points, with its sign. */
function points(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(100 * value).toFixed(1)} points`;
}

function pointRange({ low, high }: Interval): string {
  return `${points(low).replace(' points', '')} to ${points(high)}`;
}

function pValue(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}
