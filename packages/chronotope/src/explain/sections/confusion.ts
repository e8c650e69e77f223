import type { TestResults } from '../content.js';
import { counted, percent } from '../format.js';
import { html, type Markup } from '../html.js';
import { confusionCounts } from '../tallies.js';
import type { Section } from './section.js';

/** Classes up to which the whole matrix can be read. */
const MOST_CLASSES = 30;
const MOST_PAIRS = 10;

/** Which classes are taken for which. */
export function confusionSection(content: {
  test: Pick<TestResults, 'main' | 'videos'> | null;
  classes: readonly string[];
}): Section | null {
  const { test, classes } = content;
  if (test === null) return null;
  const counts = confusionCounts(test.main, test, classes);
  const draws = test.main.draws.length;
  return {
    id: 'confusion',
    title: 'What it confuses',
    body: html`<p>How often videos of one class (rows) were taken for another (columns) by the ${test.main.title}${
      draws > 1
        ? `,
added up over ${draws} label draws`
        : ''
    }. The diagonal is right.</p>
${classes.length <= MOST_CLASSES ? matrix(counts, classes) : tooLarge(classes.length)}
${pairs(counts, classes)}`,
  };
}

function tooLarge(classes: number): Markup {
  return html`<p class="notice">The matrix of ${classes} classes is too large to read; these are its largest entries off the
diagonal.</p>`;
}

function matrix(counts: readonly (readonly number[])[], classes: readonly string[]): Markup {
  const heads = classes.map((name, k) => html`<th scope="col" title="${name}">${k + 1}</th>`);
  return html`<div class="scroll" tabindex="0"><table class="confusion">
<caption><span>Rows: the true class. Columns: the answer, numbered as the rows.</span></caption>
<thead><tr><th scope="col">true class</th>${heads}<th scope="col" class="number">right</th></tr></thead>
<tbody>${classes.map((_, truth) => matrixRow(counts[truth]!, truth, classes))}</tbody></table></div>`;
}

function matrixRow(row: readonly number[], truth: number, classes: readonly string[]): Markup {
  const name = classes[truth]!;
  const total = sum(row);
  const cells = row.map((count, answer) => {
    const share = total === 0 ? 0 : count / total;
    const style = `${answer === truth ? 'right' : 'wrong'}${share > 0.55 ? ' strong' : ''}`;
    const title = `${name} taken for ${classes[answer]!}: ${count}`;
    const shade = `--share:${(100 * share).toFixed(0)}%`;
    return html`<td class="${style}" style="${shade}" title="${title}">${count === 0 ? '' : count}</td>`;
  });
  const right = total === 0 ? '–' : percent(row[truth]! / total);
  return html`<tr><th scope="row"><span class="rank">${truth + 1}</span> ${name}</th>${cells}
<td class="number">${right}</td></tr>
`;
}

function pairs(counts: readonly (readonly number[])[], classes: readonly string[]): Markup {
  const confused = counts
    .flatMap((row, truth) => row.map((count, answer) => ({ truth, answer, count, total: sum(row) })))
    .filter(({ truth, answer, count }) => truth !== answer && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_PAIRS);
  if (confused.length === 0) return html`<p>Nothing was confused.</p>`;
  const items = confused.map(({ truth, answer, count, total }) => {
    const answers = `${count} of ${counted(total, 'answer')}`;
    return html`<li><b>${classes[truth]!}</b> taken for <b>${classes[answer]!}</b>: ${answers}</li>`;
  });
  return html`<h3>Most frequent confusions</h3><ol>${items}</ol>`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
