import { meanOf } from '../../evaluation/bootstrap.js';
import type { ReportContent, StageHistory } from '../content.js';
import { duration, mebibytes, percent } from '../format.js';
import { type Content, html, type Markup } from '../html.js';
import { table } from '../table.js';
import type { Section } from './section.js';

/** Time and memory of every stage. */
export function ledgerSection({ curves }: Pick<ReportContent, 'curves'>): Section | null {
  const trained = curves.filter(({ lines, seconds, from }) => lines.length > 0 || seconds !== null || from !== null);
  if (trained.length === 0) return null;
  const known = trained.filter(({ seconds, from }) => seconds !== null && from === null);
  const total = known.reduce((sum, { seconds }) => sum + seconds!, 0);
  return {
    id: 'ledger',
    title: 'Time and memory',
    body: html`${stageTable(trained, total)}
<p class="explain">A stage that was interrupted counts the time of its last attempt. Memory is measured between two steps, so peaks inside a step
are not seen; that of the process contains everything loaded before. Where much time is spent waiting for data, decoding and
augmentation limit the speed, not the network.</p>`,
  };
}

function stageTable(stages: readonly StageHistory[], total: number): Markup {
  const numbers = ['steps', 'time', 'videos/s', 'waiting for data', 'peak of the process', 'peak of tensors'];
  return table({
    caption: `Training of all stages of this run took ${duration(total)}; decoding and testing are not counted.`,
    columns: [
      { title: 'stage' },
      { title: 'label draw' },
      ...numbers.map((title) => ({ title, kind: 'number' as const })),
    ],
    rows: stages.map(stageRow),
  });
}

function stageRow({ title, draw, done, seconds, from, lines }: StageHistory): Content[] {
  const own = seconds === null ? (done ? '–' : 'not finished') : duration(seconds);
  const average = (key: 'samplesPerSecond' | 'dataShare') => meanOf(lines.map((line) => line[key]));
  const peak = (key: 'residentBytes' | 'tensorBytes') => {
    const values = lines.map((line) => line[key]).filter((value) => Number.isFinite(value));
    return values.length === 0 ? '–' : mebibytes(Math.max(...values));
  };
  return [
    title,
    draw === null ? 'shared' : draw + 1,
    lines.at(-1)?.step ?? '–',
    from === null ? own : `from ${from}`,
    lines.length === 0 ? '–' : average('samplesPerSecond').toFixed(0),
    percent(average('dataShare')),
    peak('residentBytes'),
    peak('tensorBytes'),
  ];
}
