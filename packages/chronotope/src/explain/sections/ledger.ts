import type { ReportContent, StageHistory } from '../content.js';
import { duration, mebibytes, percent } from '../format.js';
import { html, type Markup } from '../html.js';
import { mean } from '../statistics.js';
import type { Section } from './section.js';

/** Time and memory of every stage. */
export function ledgerSection({ curves }: ReportContent): Section | null {
  const trained = curves.filter(({ lines, seconds }) => lines.length > 0 || seconds !== null);
  if (trained.length === 0) return null;
  const known = trained.filter(({ seconds, from }) => seconds !== null && from === null);
  const total = known.reduce((sum, { seconds }) => sum + seconds!, 0);
  return {
    id: 'ledger',
    title: 'Time and memory',
    body: html`<div class="scroll" tabindex="0"><table class="results"><caption><span>Training of all stages of this run took ${duration(total)}; decoding and testing are not counted.</span></caption>
<thead><tr><th scope="col">stage</th><th scope="col">label draw</th><th scope="col" class="number">steps</th><th scope="col" class="number">time</th><th scope="col" class="number">videos/s</th><th scope="col" class="number">waiting for data</th><th scope="col" class="number">peak of the process</th><th scope="col" class="number">peak of tensors</th></tr></thead>
<tbody>${trained.map(row)}</tbody></table></div>
<p class="explain">A stage that was interrupted counts the time of its last attempt. Memory is measured between two steps, so peaks inside a step
are not seen; that of the process contains everything loaded before. Where much time is spent waiting for data, decoding and
augmentation limit the speed, not the network.</p>`,
  };
}

function row({ title, draw, done, seconds, from, lines }: StageHistory): Markup {
  const time = from !== null ? `from ${from}` : seconds === null ? (done ? '–' : 'not finished') : duration(seconds);
  const peak = (key: 'residentBytes' | 'tensorBytes') => {
    const values = lines.map((line) => line[key]).filter((value) => Number.isFinite(value));
    return values.length === 0 ? '–' : mebibytes(Math.max(...values));
  };
  return html`<tr><th scope="row">${title}</th><td>${draw === null ? 'shared' : draw + 1}</td><td class="number">${lines.at(-1)?.step ?? '–'}</td><td class="number">${time}</td><td class="number">${lines.length === 0 ? '–' : mean(lines.map(({ samplesPerSecond }) => samplesPerSecond)).toFixed(0)}</td><td class="number">${lines.length === 0 ? '–' : percent(mean(lines.map(({ dataShare }) => dataShare)))}</td><td class="number">${peak('residentBytes')}</td><td class="number">${peak('tensorBytes')}</td></tr>`;
}
