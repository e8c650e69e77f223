import { differenceBar } from '../charts/bars.js';
import { percent, points } from '../format.js';
import { html } from '../html.js';
import type { Section } from '../sections/section.js';
import { table } from '../table.js';
import { classMeans, rightShares } from '../tallies.js';
import type { LanguageContent } from './content.js';

/** Each class before and after, the largest gain first. */
export function gainsSection({ test, classes }: LanguageContent): Section | null {
  if (test === null || test.main === test.baseline) return null;
  const { main, baseline, before, videos } = test;
  const of = (network: typeof main) => classMeans(rightShares(network, test), test, classes);
  const [from, start, to] = [of(baseline), before && of(before), of(main)];
  const rows = classes
    .map((name, index) => ({
      name,
      videos: videos.filter(({ truth }) => truth === index).length,
      from: from[index]!,
      start: start?.[index] ?? null,
      to: to[index]!,
      gain: to[index]! - from[index]!,
    }))
    .filter((row) => row.videos > 0)
    .sort((a, b) => b.gain - a.gain);
  const risen = rows.filter(({ gain }) => gain > 0).length;
  const fallen = rows.filter(({ gain }) => gain < 0).length;
  const number = (title: string) => ({ title, kind: 'number' as const });
  return {
    id: 'gains',
    title: 'Class by class',
    body: html`<p>“${main.title}” against “${baseline.title}”: ${risen} of ${rows.length} classes are recognised more often, ${fallen} less often.
Of a class with few test videos, one video is many points.</p>
${table({
  caption: before && `In percentage points over “${baseline.title}”; the last column over “${before.title}”.`,
  columns: [
    { title: 'class' },
    number('videos'),
    ...(before ? [number('image CLIP')] : []),
    number('before'),
    number('after'),
    number(before ? 'over image CLIP' : 'points'),
    { title: 'worse | better', kind: 'wide-cell' },
    ...(before ? [number('over before')] : []),
  ],
  rows: rows.map((row) => [
    row.name,
    row.videos,
    percent(row.from),
    ...(row.start === null ? [] : [percent(row.start)]),
    percent(row.to),
    points(row.gain),
    differenceBar(row.gain),
    ...(row.start === null ? [] : [points(row.to - row.start)]),
  ]),
})}`,
  };
}
