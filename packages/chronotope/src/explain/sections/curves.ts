import { lineChart } from '../charts/line-chart.js';
import type { ReportContent, StageHistory } from '../content.js';
import { percent } from '../format.js';
import { html, type Markup } from '../html.js';
import type { Section } from './section.js';

/** What training logged. */
export function curvesSection({ curves }: ReportContent): Section | null {
  const logged = curves.filter(({ lines }) => lines.length > 0);
  if (logged.length === 0) return null;
  const shared = logged.filter(({ draw }) => draw === null);
  const titles = [...new Set(logged.filter(({ draw }) => draw !== null).map(({ title }) => title))];
  return {
    id: 'curves',
    title: 'How training went',
    body: html`<p>The loss is what training makes small; its absolute size means little, its course much: it should fall and
level off. All curves are measured on training videos with random augmentation, so they say nothing about new videos.</p>
${shared.length === 0 ? null : pretraining(shared)}
${titles.length === 0 ? null : labelledTraining(titles.map((title) => logged.filter((stage) => stage.title === title)))}`,
  };
}

function pretraining(stages: readonly StageHistory[]): Markup {
  return html`<h3>Pre-training, without labels</h3><div class="charts">${stages.map(pretrainingChart)}</div>
<p class="explain">“instance” is small when clips of one video look alike and different from other videos; “localLocal” and
“globalLocal” are small when the moments of a video can be told apart. Runs of earlier versions also measured the parts that a
stage does not train on; these need not fall.</p>`;
}

/** @param groups the label draws of each stage */
function labelledTraining(groups: readonly (readonly StageHistory[])[]): Markup {
  return html`<h3>Training on labels</h3><div class="charts">${groups.map(labelledChart)}</div>
<p class="explain">“Right at the end” is the share of labelled training clips recognised in the last steps. With few labels it
comes close to 100 % soon: that is memory, not skill.</p>`;
}

function pretrainingChart({ title, lines, done }: StageHistory): Markup {
  const names = Object.keys(lines[0]!.metrics);
  const chart = lineChart({
    description: `Course of ${names.join(', ')} over the steps of ${title}.`,
    lines: names.map((name) => ({ name, points: lines.map(({ step, metrics }) => [step, metrics[name]!] as const) })),
    xTitle: 'step',
    fromZero: true,
  });
  return html`<figure><figcaption><b>${title}</b>${unfinished(done)}</figcaption>${chart}</figure>`;
}

/** The loss, one line for each label draw. */
function labelledChart(stages: readonly StageHistory[]): Markup {
  const { title } = stages[0]!;
  const chart = lineChart({
    description: `Course of the loss over the steps of ${title}, one line for each label draw.`,
    lines: stages.map(({ draw, lines }) => ({
      name: `draw ${draw! + 1}`,
      points: lines.map(({ step, metrics }) => [step, metrics.loss!] as const),
    })),
    xTitle: 'step',
    fromZero: true,
  });
  const known = stages.map(({ lines }) => lines.at(-1)!.metrics.accuracy).filter((value) => value !== undefined);
  const accuracies = known.length === 0 ? '' : `; right at the end: ${known.map(percent).join(', ')}`;
  const state = unfinished(stages.every(({ done }) => done));
  return html`<figure><figcaption><b>${title}</b>${state}${accuracies}</figcaption>${chart}</figure>`;
}

function unfinished(done: boolean): string {
  return done ? '' : ' (not finished)';
}
