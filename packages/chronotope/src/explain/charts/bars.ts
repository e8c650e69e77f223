import { extent, type Interval } from '../../evaluation/bootstrap.js';
import { html, type Markup } from '../html.js';

// Bars for the cells of a table: as wide as the cell, so that they need no scaling. The cells beside them hold the
// numbers, so these are decoration for a screen reader.

/** A bar from 0 to a share of the cell, a whisker for its interval and a dot for each single value. */
export function intervalBar(estimate: Interval, singles: readonly number[], role: string): Markup {
  const dots = singles.length < 2 ? [] : singles;
  return html`<svg class="bar" aria-hidden="true" width="100%" height="18">
<rect class="${role}" x="0" y="3" width="${share(estimate.value)}" height="12"/>
<line class="whisker" x1="${share(estimate.low)}" x2="${share(estimate.high)}" y1="9" y2="9"/>
${dots.map((value) => html`<circle class="dot" cx="${share(value)}" cy="9" r="3"/>`)}
</svg>`;
}

/** A bar to the right of the middle for a positive value in [−1, 1], to the left for a negative one. */
export function differenceBar(value: number): Markup {
  const from = value >= 0 ? 0.5 : 0.5 + value / 2;
  const side = value >= 0 ? 'invariant' : 'distinctive';
  return html`<svg class="bar" aria-hidden="true" width="100%" height="14">
<rect class="${side}" x="${share(from)}" y="1" width="${share(Math.abs(value) / 2)}" height="12"/>
<line class="axis" x1="50%" x2="50%" y1="0" y2="14"/></svg>`;
}

/** Shares that add up to at most 1, side by side. */
export function stackedBar(parts: readonly (readonly [role: string, share: number])[]): Markup {
  let start = 0;
  const rects = parts.map(([role, width]) => {
    const rect = html`<rect class="${role}" x="${share(start)}" y="2" width="${share(width)}" height="14"/>`;
    start += width;
    return rect;
  });
  return html`<svg class="bar" aria-hidden="true" width="100%" height="18">${rects}</svg>`;
}

/** How strongly the evidence of each moment of a clip spoke for (up) or against (down) a class. */
export function momentBars(moments: readonly number[], description: string): Markup {
  const largest = Math.max(...moments.map(Math.abs), Number.MIN_VALUE);
  const width = 100 / moments.length;
  const bars = moments.map((moment, k) => {
    const height = (18 * Math.abs(moment)) / largest;
    const y = moment >= 0 ? 20 - height : 20;
    const place = html`x="${(k * width + 0.5).toFixed(2)}%" y="${y.toFixed(1)}"`;
    const size = html`width="${(width - 1).toFixed(2)}%" height="${height.toFixed(1)}"`;
    return html`<rect class="${moment >= 0 ? 'for' : 'against'}" ${place} ${size}/>`;
  });
  return html`<svg class="moments" role="img" aria-label="${description}" width="100%" height="40">
<line class="axis" x1="0" x2="100%" y1="20" y2="20"/>${bars}</svg>`;
}

/** Counts of values in equal steps of their range. */
export function histogram(values: readonly number[], steps: number, description: string): Markup {
  const [low, high] = extent(values);
  const counts = Array.from({ length: steps }, () => 0);
  for (const value of values) {
    counts[Math.min(steps - 1, Math.floor(((value - low) / (high - low || 1)) * steps))]!++;
  }
  const most = Math.max(...counts);
  const width = 340 / steps;
  const bars = counts.map((count, k) => {
    const height = (80 * count) / most;
    const place = html`x="${(k * width + 1).toFixed(1)}" y="${(84 - height).toFixed(1)}"`;
    const size = html`width="${(width - 2).toFixed(1)}" height="${height.toFixed(1)}"`;
    return html`<rect class="neutral" ${place} ${size}><title>${count}</title></rect>`;
  });
  return html`<svg class="chart" viewBox="0 0 340 110" role="img" aria-label="${description}">${bars}
<line class="axis" x1="0" x2="340" y1="84" y2="84"/>
<text x="0" y="102">${low.toFixed(3)}</text><text x="340" y="102" text-anchor="end">${high.toFixed(3)}</text></svg>`;
}

function share(value: number): string {
  return `${(100 * value).toFixed(2)}%`;
}
