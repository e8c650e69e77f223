import { html, type Markup } from '../html.js';
import { axes, fixed } from './axes.js';

export interface ScatterOptions {
  /** Says in one sentence what the chart shows, for people who don't see it. */
  description: string;
  points: readonly { name: string; x: number; y: number }[];
  xTitle: string;
  yTitle: string;
}

const WIDTH = 560;
const HEIGHT = 330;
const LEFT = 56;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 42;
/** Names beside the points, up to this many points; otherwise only as tooltips. */
const MOST_NAMES = 30;

/** Points with their names; a vertical axis that has 0 in its middle. */
export function scatterChart({ description, points, xTitle, yTitle }: ScatterOptions): Markup {
  const xValues = points.map(({ x }) => x);
  const [low, high] = [Math.min(...xValues), Math.max(...xValues)];
  const margin = Math.max((high - low) * 0.08, 1e-3);
  const largest = Math.max(0.1, ...points.map(({ y }) => Math.abs(y))) * 1.1;
  const x = (value: number) => LEFT + ((value - low + margin) / (high - low + 2 * margin)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => TOP + ((largest - value) / (2 * largest)) * (HEIGHT - TOP - BOTTOM);
  const middle = (TOP + HEIGHT - BOTTOM) / 2;
  const places = points.map((point) => ({ name: point.name, x: x(point.x), y: y(point.y), side: sideOf(point.y) }));
  const plot = { width: WIDTH, height: HEIGHT, left: LEFT, right: RIGHT, bottom: BOTTOM, x, y };
  return html`<svg class="chart wide" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${description}">
${axes(plot, { xRange: [low - margin, high + margin], yRange: [-largest, largest], xTitle })}
<text transform="rotate(-90 13 ${middle})" x="13" y="${middle}" text-anchor="middle">${yTitle}</text>
${placed(places)}
</svg>`;
}

/** Which teacher is ahead. */
function sideOf(difference: number): string {
  if (Math.abs(difference) < 1e-9) return 'both';
  return difference > 0 ? 'invariant' : 'distinctive';
}

interface PlacedPoint {
  name: string;
  x: number;
  y: number;
  side: string;
}

/** The points, each with its name to the right or left of it, moved down until it covers no other name. */
function placed(points: readonly PlacedPoint[]): Markup[] {
  const taken: { left: number; right: number; y: number }[] = [];
  return [...points]
    .sort((a, b) => a.y - b.y)
    .map(({ name, x, y, side }) => {
      const short = name.length > 18 ? `${name.slice(0, 17)}…` : name;
      const width = short.length * 6.3;
      const toLeft = x + 8 + width > WIDTH;
      const left = toLeft ? x - 8 - width : x + 8;
      let line = y + 4;
      const covered = () =>
        taken.some((one) => one.left < left + width && left < one.right && Math.abs(one.y - line) < 11);
      while (covered()) line += 2;
      taken.push({ left, right: left + width, y: line });
      const label =
        points.length > MOST_NAMES ? null : html`<text x="${fixed(left)}" y="${fixed(line)}">${short}</text>`;
      const place = html`cx="${fixed(x)}" cy="${fixed(y)}"`;
      return html`<circle class="${side}" ${place} r="4"><title>${name}</title></circle>${label}\n`;
    });
}
