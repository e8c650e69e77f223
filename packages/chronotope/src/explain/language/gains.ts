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
  const { main, baseline, videos } = test;
  const of = (network: typeof main) => classMeans(rightShares(network, test), test, classes);
  const [before, after] = [of(baseline), of(main)];
  const rows = classes
    .map((name, index) => ({
      name,
      before: before[index]!,
      after: after[index]!,
      gain: after[index]! - before[index]!,
      videos: videos.filter(({ truth }) => truth === index).length,
    }))
    .filter((row) => row.videos > 0)
    .sort((a, b) => b.gain - a.gain);
  const risen = rows.filter(({ gain }) => gain > 0).length;
  const fallen = rows.filter(({ gain }) => gain < 0).length;
  return {
    id: 'gains',
    title: 'Class by class',
    body: html`<p>“${main.title}” against “${baseline.title}”: ${risen} of ${rows.length} classes are recognised more often, ${fallen} less often.
Of a class with few test videos, one video is many points.</p>
${table({
  columns: [
    { title: 'class' },
    { title: 'videos', kind: 'number' },
    { title: 'before', kind: 'number' },
    { title: 'after', kind: 'number' },
    { title: 'points', kind: 'number' },
    { title: 'worse | better', kind: 'wide-cell' },
  ],
  rows: rows.map(({ name, videos: count, before: from, after: to, gain }) => [
    name,
    count,
    percent(from),
    percent(to),
    points(gain),
    differenceBar(gain),
  ]),
})}`,
  };
}
