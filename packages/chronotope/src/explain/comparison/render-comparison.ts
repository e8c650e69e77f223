import { intervalBar } from '../charts/bars.js';
import { intervalChart } from '../charts/interval-chart.js';
import { counted, percent, points } from '../format.js';
import { type Content, html, type Markup } from '../html.js';
import { page } from '../page.js';
import type { Section } from '../sections/section.js';
import { table } from '../table.js';
import type { ComparedCell, ComparedRow, Comparison } from './content.js';

/** Lines in a chart that can still be told apart. */
const MOST_LINES = 6;

/** A comparison of runs as one HTML page with everything inside. */
export function renderComparison(comparison: Comparison): string {
  const { runs, testVideos, classes, protocol } = comparison;
  const sections = [resultsSection(comparison), curveSection(comparison), runsSection(comparison)];
  return page({
    windowTitle: 'Comparison of runs',
    title: 'Comparison of runs',
    subtitle: `${counted(runs.length, 'run')}, ${counted(testVideos, 'test video')}, ${counted(classes.length, 'class')}; ${protocol}`,
    sections: sections.filter((section) => section !== null),
    footer: html`Written by <code>chronotope compare</code>.`,
  });
}

function resultsSection(comparison: Comparison): Section {
  const { budgets, differences, intervals } = comparison;
  const level = `${Number((100 * intervals.level).toFixed(1))} %`;
  const warning =
    differences.length === 0
      ? null
      : html`<div class="notice"><p>These runs are not ranked, because they differ in:</p>
<ul>${differences.map((line) => html`<li>${line}</li>`)}</ul></div>`;
  return {
    id: 'results',
    title: 'Results',
    body: html`${warning}${budgets.map((_, budget) => budgetTable(comparison, budget))}
<p class="explain">Top-1 is the mean over seeds and label draws, ± their standard deviation: what other seeds and other labels
change. The thin line is the ${level} interval over test videos: what other test videos could change. The last column
compares with the best on the same videos, in percentage points; where its interval contains 0, the two cannot be told
apart on these videos.</p>`,
  };
}

function budgetTable({ budgets, rows, classes }: Comparison, budget: number): Markup {
  const { name, labelled } = budgets[budget]!;
  const present = rows
    .flatMap((row) => (row.cells[budget] ? [{ row, cell: row.cells[budget]! }] : []))
    .sort((a, b) => b.cell.top1.value - a.cell.top1.value);
  return table({
    caption: `${name}: ${Math.round(labelled)} labelled training videos; chance is ${percent(1 / classes.length)}.`,
    columns: [
      { title: 'classifier' },
      { title: 'rank', kind: 'number' },
      { title: 'top-1', kind: 'number' },
      { title: '', kind: 'wide-cell' },
      { title: 'runs', kind: 'number' },
      { title: 'minus the best', kind: 'together' },
    ],
    rows: present.map(({ row, cell }) => [
      row.title,
      cell.rank ?? '–',
      meanWithDeviation(cell),
      intervalBar(cell.top1, cell.values, 'student'),
      cell.values.length,
      behindBest(cell),
    ]),
    stressed: present[0]?.cell.rank === 1 ? 0 : undefined,
  });
}

/** `51.2 % ± 3.0`, in percent and percentage points. */
export function meanWithDeviation({ top1, deviation }: ComparedCell): string {
  return `${percent(top1.value)}${deviation === null ? '' : ` ± ${(100 * deviation).toFixed(1)}`}`;
}

function behindBest({ behindBest, rank }: ComparedCell): Content {
  if (rank === null) return '';
  if (behindBest === null) return 'the best';
  return `${points(behindBest.value)} (${points(behindBest.low)} to ${points(behindBest.high)})`;
}

/** Label efficiency: top-1 over the number of labels; nothing with one choice of labels. */
function curveSection(comparison: Comparison): Section | null {
  const { budgets, rows } = comparison;
  if (budgets.length < 2) return null;
  const charts = chunksOf(rows).map(({ title, rows }) => {
    const lines = rows.map((row) => ({ name: row.title, points: pointsOf(row, comparison) }));
    const description = `Top-1 in percent over the number of labelled videos: ${rows.map((row) => row.title).join(', ')}`;
    return html`<figure>${intervalChart({ description, lines, xTitle: 'labelled training videos' })}
<figcaption>${title}</figcaption></figure>`;
  });
  return { id: 'curve', title: 'What more labels are worth', body: html`${charts}` };
}

function pointsOf(row: ComparedRow, { budgets }: Comparison) {
  return row.cells.flatMap((cell, k) => {
    if (cell === null) return [];
    const { value, low, high } = cell.top1;
    return [{ x: budgets[k]!.labelled, value: 100 * value, low: 100 * low, high: 100 * high }];
  });
}

/** The rows of each chart: those of one run together, at most as many as have a colour. */
function chunksOf(rows: readonly ComparedRow[]): { title: string; rows: readonly ComparedRow[] }[] {
  if (rows.length <= MOST_LINES) return [{ title: 'top-1 in percent, with intervals over test videos', rows }];
  const names = [...new Set(rows.map(({ run }) => run))];
  return names.flatMap((run) => {
    const own = rows.filter((row) => row.run === run);
    const parts = Math.ceil(own.length / MOST_LINES);
    return Array.from({ length: parts }, (_, part) => ({
      title: `top-1 in percent, ${run}`,
      rows: own.slice(part * MOST_LINES, (part + 1) * MOST_LINES),
    }));
  });
}

function runsSection({ runs }: Comparison): Section {
  const body = table({
    columns: [{ title: 'run' }, { title: 'labels' }, { title: 'seed', kind: 'number' }, { title: 'folder' }],
    rows: runs.map(({ name, budget, seed, folder }) => [name, budget, seed, html`<span class="id">${folder}</span>`]),
  });
  return { id: 'runs', title: 'Runs', body };
}
