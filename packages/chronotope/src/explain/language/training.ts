import { lineChart } from '../charts/line-chart.js';
import type { StageHistory } from '../content.js';
import { html, type Markup } from '../html.js';
import type { Section } from '../sections/section.js';
import type { LanguageContent } from './content.js';

/** What training logged, and the signs of collapse. */
export function trainingSection({ curves, collapse }: LanguageContent): Section | null {
  const logged = curves.filter(({ lines }) => lines.length > 0);
  if (logged.length === 0) return null;
  return {
    id: 'curves',
    title: 'How training went',
    body: html`${collapse.map((sentence) => html`<p class="notice">Collapse. ${sentence}</p>`)}
<p>Each loss or measure by itself. They are of training videos with random augmentation and say nothing about new ones.
“Information” is what tells a healthy run from one that collapses: it must not fall to 0, which means that the same is said of every
video; “Used” is how many outputs are in use, “Entropy” how undecided a single answer is.</p>
${logged.map(charts)}`,
  };
}

function charts({ title, lines, done }: StageHistory): Markup {
  const names = [...new Set(lines.flatMap(({ metrics }) => Object.keys(metrics)))];
  return html`<h3>${title}${done ? '' : ' (not finished)'}</h3><div class="charts">${names.map((name) => {
    const points = lines.flatMap(({ step, metrics }) =>
      metrics[name] === undefined ? [] : [[step, metrics[name]] as const],
    );
    const chart = lineChart({
      description: `Course of ${name} over the steps.`,
      lines: [{ name, points }],
      xTitle: 'step',
      fromZero: true,
    });
    return html`<figure><figcaption>${name}</figcaption>${chart}</figure>`;
  })}</div>`;
}
