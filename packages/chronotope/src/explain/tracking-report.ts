import { GOT10K_THRESHOLDS } from '../evaluation/tracking/got10k.js';
import { DISTANCE_THRESHOLDS, OVERLAP_THRESHOLDS } from '../evaluation/tracking/otb.js';
import type { TrackingScores } from '../evaluation/tracking/tracking-scores.js';
import { lineChart } from './charts/line-chart.js';
import { percent } from './format.js';
import { html, Markup } from './html.js';
import { STYLE } from './style.js';
import { type Column, table } from './table.js';

/** What a tracker reached on a data set. */
export interface TrackerResult {
  /** The run, for people. */
  name: string;
  scores: TrackingScores;
  framesPerSecond: number;
}

const number = (title: string): Column => ({ title, kind: 'number' });

/** The curves and scores of trackers on one data set as one HTML page with everything inside. */
export function renderTrackingReport(data: string, results: readonly TrackerResult[]): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Tracking: ${data}</title><style>${new Markup(STYLE)}</style></head>
<body><header><h1>Tracking: ${data}</h1>
<p class="soft">${results[0]!.scores.sequences.length} sequences, one pass each from the true box of the first frame</p></header>
<main><section><h2>Scores</h2>${scoreTable(results)}
<p class="explain">Success is the mean share of frames whose box overlaps the true one by more than 0, 0.05, …, 1; precision the
share whose centre is at most 20 pixels away (OTB). AO is the mean overlap of all frames but the first ones, SR the share with more than
0.5 or 0.75 (GOT-10k).</p></section>
<section><h2>Curves</h2><div class="charts">
${chart(results, ({ otbCurves }) => otbCurves.success, OVERLAP_THRESHOLDS, {
  title: 'Success (OTB)',
  xTitle: 'overlap',
  of: 'mean of the sequences',
})}
${chart(results, ({ otbCurves }) => otbCurves.precision, DISTANCE_THRESHOLDS, {
  title: 'Precision (OTB)',
  xTitle: 'distance of the centres in pixels',
  of: 'mean of the sequences',
})}
${chart(results, ({ got10kCurve }) => got10kCurve, GOT10K_THRESHOLDS, {
  title: 'Success (GOT-10k)',
  xTitle: 'overlap',
  of: 'all frames together',
})}
</div></section>
<section><h2>Each sequence</h2>${results.map(sequenceTable)}</section></main>
<footer>Written by <code>chronotope track evaluate</code>.</footer></body></html>
`.text;
}

function scoreTable(results: readonly TrackerResult[]): Markup {
  return table({
    columns: [{ title: 'tracker' }, ...['success', 'precision', 'AO', 'SR 0.5', 'SR 0.75', 'frames/s'].map(number)],
    rows: results.map(({ name, scores: { otb, got10k }, framesPerSecond }) => [
      name,
      percent(otb.success),
      percent(otb.precision),
      percent(got10k.averageOverlap),
      percent(got10k.successRate50),
      percent(got10k.successRate75),
      framesPerSecond.toFixed(1),
    ]),
  });
}

function chart(
  results: readonly TrackerResult[],
  curveOf: (scores: TrackingScores) => readonly number[],
  thresholds: readonly number[],
  { title, xTitle, of }: { title: string; xTitle: string; of: string },
): Markup {
  const lines = results.map(({ name, scores }) => ({
    name,
    points: thresholds.map((threshold, k) => [threshold, curveOf(scores)[k]!] as const),
  }));
  const description = `${title}: share of frames against the ${xTitle}, ${of}.`;
  return html`<figure><figcaption><b>${title}</b>: share of frames, ${of}</figcaption>
${lineChart({ description, lines, xTitle, fromZero: true })}</figure>`;
}

function sequenceTable({ name, scores }: TrackerResult): Markup {
  return table({
    caption: name,
    columns: [{ title: 'sequence' }, ...['frames', 'success', 'precision', 'AO', 'SR 0.5', 'SR 0.75'].map(number)],
    rows: scores.sequences.map(({ id, frames, otb, got10k }) => [
      id,
      String(frames),
      percent(otb.success),
      percent(otb.precision),
      percent(got10k.averageOverlap),
      percent(got10k.successRate50),
      percent(got10k.successRate75),
    ]),
  });
}
