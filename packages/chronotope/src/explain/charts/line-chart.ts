import { html, type Markup } from '../html.js';
import { axes, fixed } from './axes.js';

export interface Line {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
}

export interface LineChartOptions {
  /** Says in one sentence what the chart shows, for people who don't see it. */
  description: string;
  lines: readonly Line[];
  xTitle: string;
  /** Starts the vertical axis at 0. Default: at the smallest value. */
  fromZero?: boolean;
}

const WIDTH = 340;
const HEIGHT = 190;
const LEFT = 44;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 34;
/** Points of one line at most: more can't be told apart at this size. */
const MOST_POINTS = 200;

/** A line chart with a legend below where there is more than one line. Values that are not finite are left out. */
export function lineChart({ description, lines, xTitle, fromZero = false }: LineChartOptions): Markup {
  const shown = lines.map(({ name, points }) => ({
    name,
    points: thinned(points.filter(([, y]) => Number.isFinite(y))),
  }));
  const all = shown.flatMap(({ points }) => points);
  if (all.length === 0) return html`<p class="none">No values were logged.</p>`;
  const xs = range(all.map(([x]) => x));
  const ys = range(all.map(([, y]) => y));
  if (fromZero) ys.low = Math.min(0, ys.low);
  const x = (value: number) => LEFT + ((value - xs.low) / (xs.high - xs.low)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - ((value - ys.low) / (ys.high - ys.low)) * (HEIGHT - TOP - BOTTOM);
  const drawn = shown.map(({ points }, k) => {
    const places = points.map(([a, b]) => `${fixed(x(a))},${fixed(y(b))}`).join(' ');
    return html`<polyline class="line line-${k % 6}" points="${places}"/>\n`;
  });
  const plot = { width: WIDTH, height: HEIGHT, left: LEFT, right: RIGHT, bottom: BOTTOM, x, y };
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${description}">
${axes(plot, { xRange: [xs.low, xs.high], yRange: [ys.low, ys.high], xTitle })}
${drawn}</svg>${legend(shown.map(({ name }) => name))}`;
}

/** The names of lines beside their colours; nothing for one line. */
export function legend(names: readonly string[]): Markup {
  if (names.length < 2) return html``;
  const items = names.map((name, k) => html`<li><span class="key key-${k % 6}"></span>${name}</li>`);
  return html`<ul class="legend">${items}</ul>`;
}

/** The smallest and the largest value, apart from each other. */
export function range(values: readonly number[]): { low: number; high: number } {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  return high > low ? { low, high } : { low: low - 0.5, high: high + 0.5 };
}

function thinned<T>(points: readonly T[]): readonly T[] {
  if (points.length <= MOST_POINTS) return points;
  return Array.from(
    { length: MOST_POINTS },
    (_, k) => points[Math.round((k * (points.length - 1)) / (MOST_POINTS - 1))]!,
  );
}
