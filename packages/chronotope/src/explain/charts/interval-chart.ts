import { html, type Markup } from '../html.js';
import { axes, fixed } from './axes.js';
import { legend, range } from './line-chart.js';

/** A value with the range it may lie in. */
export interface IntervalPoint {
  x: number;
  value: number;
  low: number;
  high: number;
}

const WIDTH = 460;
const HEIGHT = 260;
const LEFT = 44;
const RIGHT = 14;
const TOP = 10;
const BOTTOM = 36;
/** Between the whiskers of two lines, so that they do not hide one another. */
const STEP_ASIDE = 3;

/** Lines through values whose intervals are drawn as whiskers, with a legend below. */
export function intervalChart(options: {
  /** Says in one sentence what the chart shows, for people who don't see it. */
  description: string;
  lines: readonly { name: string; points: readonly IntervalPoint[] }[];
  xTitle: string;
}): Markup {
  const { description, lines, xTitle } = options;
  const all = lines.flatMap(({ points }) => points);
  if (all.length === 0) return html`<p class="none">There are no values.</p>`;
  const xs = range(all.map(({ x }) => x));
  const ys = range(all.flatMap(({ low, high }) => [low, high]));
  const x = (value: number) => LEFT + 8 + ((value - xs.low) / (xs.high - xs.low)) * (WIDTH - LEFT - RIGHT - 16);
  const y = (value: number) => HEIGHT - BOTTOM - ((value - ys.low) / (ys.high - ys.low)) * (HEIGHT - TOP - BOTTOM);
  const drawn = lines.map(({ points }, k) => {
    const aside = STEP_ASIDE * (k - (lines.length - 1) / 2);
    const places = points.map((point) => ({ ...point, place: fixed(x(point.x) + aside) }));
    const corners = places.map(({ place, value }) => `${place},${fixed(y(value))}`).join(' ');
    const whiskers = places.map(
      ({ place, low, high }) => html`<line x1="${place}" x2="${place}" y1="${fixed(y(low))}" y2="${fixed(y(high))}"/>`,
    );
    const dots = places.map(({ place, value }) => html`<circle cx="${place}" cy="${fixed(y(value))}" r="2.6"/>`);
    return html`<g class="line line-${k % 6}"><polyline points="${corners}"/>${whiskers}${dots}</g>\n`;
  });
  const plot = { width: WIDTH, height: HEIGHT, left: LEFT, right: RIGHT, bottom: BOTTOM, x, y };
  return html`<svg class="chart wide" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${description}">
${axes(plot, { xRange: [xs.low, xs.high], yRange: [ys.low, ys.high], xTitle })}
${drawn}</svg>${legend(lines.map(({ name }) => name))}`;
}
