import { html, type Markup } from '../html.js';
import { tickLabel, ticks } from './ticks.js';

/** Where a chart draws, and how values become places. */
export interface Plot {
  width: number;
  height: number;
  left: number;
  right: number;
  bottom: number;
  x: (value: number) => number;
  y: (value: number) => number;
}

/** Horizontal grid lines with their values, a stronger one at 0; the values and the title of the horizontal axis. */
export function axes(
  { width, height, left, right, bottom, x, y }: Plot,
  options: { xRange: readonly [number, number]; yRange: readonly [number, number]; xTitle: string },
): Markup {
  const xTicks = ticks(...options.xRange, 5);
  const yTicks = ticks(...options.yRange, 5);
  const rows = yTicks.map((tick) => {
    const line = html`x1="${left}" x2="${width - right}" y1="${fixed(y(tick))}" y2="${fixed(y(tick))}"`;
    const label = html`<text x="${left - 6}" y="${fixed(y(tick) + 4)}" text-anchor="end">${tickLabel(tick, yTicks)}</text>`;
    return html`<line class="${Math.abs(tick) < 1e-9 ? 'axis' : 'grid'}" ${line}/>${label}\n`;
  });
  const columns = xTicks.map((tick) => {
    const place = html`x="${fixed(x(tick))}" y="${height - bottom + 15}"`;
    return html`<text ${place} text-anchor="middle">${tickLabel(tick, xTicks)}</text>\n`;
  });
  const middle = (left + width - right) / 2;
  return html`${rows}${columns}<text x="${middle}" y="${height - 4}" text-anchor="middle">${options.xTitle}</text>`;
}

/** A coordinate with one decimal. */
export function fixed(value: number): string {
  return value.toFixed(1);
}
