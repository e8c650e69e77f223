import { differenceBar } from '../charts/bars.js';
import type { ReportContent, TestResults } from '../content.js';
import { counted, percent, points } from '../format.js';
import { html, type Markup } from '../html.js';
import { strip } from '../pictures.js';
import { table } from '../table.js';
import { classMeans, rightShares } from '../tallies.js';
import type { Section } from './section.js';

/** Classes shown at each end of the list. */
const MOST_CLASSES = 25;
/** Classes shown with frames at each end. */
export const EXTREME_CLASSES = 3;

interface ClassRow {
  index: number;
  name: string;
  videos: number;
  invariant: number;
  distinctive: number;
  difference: number;
}

/** Per-class accuracy of the two teachers (TimeBalance, Fig. 1). */
export function teachersSection({ test, classes }: ReportContent): Section | null {
  const rows = test && teacherDifferences(test, classes);
  if (!test || !rows) return null;
  const shown = rows.length <= 2 * MOST_CLASSES ? rows : [...rows.slice(0, MOST_CLASSES), ...rows.slice(-MOST_CLASSES)];
  const smallest = Math.min(...rows.map(({ videos }) => videos));
  const draws = test.teachers!.invariant.draws.length;
  const { forInvariant, forDistinctive } = extremeClasses(rows);
  return {
    id: 'teachers',
    title: 'What each teacher is good at',
    body: html`<p>TimeBalance starts from an observation: a network that was taught that all moments of a video are the
same is better at some actions (those that look alike from beginning to end), one that was taught to tell moments apart
is better at others (those that go through phases). This is the difference of the two teachers in each class.</p>
${differenceTable(shown, rows.length - shown.length)}
<p class="explain">Differences are in percentage points. With as few as ${counted(smallest, 'test video')} in a class, one
video more or less moves a bar by ${(100 / (smallest * draws)).toFixed(0)} points: read the ends of the list, not single
bars.</p>
${extremes('Classes where the invariant teacher leads most', forInvariant, test)}
${extremes('Classes where the distinctive teacher leads most', forDistinctive, test)}`,
  };
}

function differenceTable(rows: readonly ClassRow[], leftOut: number): Markup {
  const between = leftOut > 0 ? `; the ${leftOut} in between are left out` : '';
  return table({
    caption: `Accuracy of the teachers in each class, from the classes of the invariant to those of the distinctive one${between}.`,
    columns: [
      { title: 'class' },
      { title: 'difference', kind: 'number' },
      { title: 'distinctive better ◂ ▸ invariant better', kind: 'wide-cell' },
      { title: 'invariant', kind: 'number' },
      { title: 'distinctive', kind: 'number' },
    ],
    rows: rows.map(({ name, invariant, distinctive, difference }) => [
      ...[name, points(difference), differenceBar(difference)],
      ...[percent(invariant), percent(distinctive)],
    ]),
  });
}

/** The classes with test videos, best of the invariant teacher first; `null` without both teachers. */
export function teacherDifferences(
  test: Pick<TestResults, 'videos' | 'teachers'>,
  classes: readonly string[],
): ClassRow[] | null {
  if (test.teachers === null) return null;
  const invariant = classMeans(rightShares(test.teachers.invariant, test), test, classes);
  const distinctive = classMeans(rightShares(test.teachers.distinctive, test), test, classes);
  return classes
    .map((name, index) => ({
      index,
      name,
      videos: test.videos.filter(({ truth }) => truth === index).length,
      invariant: invariant[index]!,
      distinctive: distinctive[index]!,
      difference: invariant[index]! - distinctive[index]!,
    }))
    .filter(({ videos }) => videos > 0)
    .sort((a, b) => b.difference - a.difference || a.index - b.index);
}

/** The ends of the list: classes in which a teacher is ahead at all. */
export function extremeClasses(rows: readonly ClassRow[]): { forInvariant: ClassRow[]; forDistinctive: ClassRow[] } {
  return {
    forInvariant: rows.filter(({ difference }) => difference > 0).slice(0, EXTREME_CLASSES),
    forDistinctive: rows
      .filter(({ difference }) => difference < 0)
      .slice(-EXTREME_CLASSES)
      .reverse(),
  };
}

function extremes(title: string, rows: readonly ClassRow[], test: TestResults): Markup | null {
  const shown = rows.flatMap((row) => {
    const video = test.videos.findIndex(({ truth }, index) => truth === row.index && test.strips.has(index));
    return video < 0 ? [] : [{ row, video, picture: test.strips.get(video)! }];
  });
  if (shown.length === 0) return null;
  return html`<h3>${title}</h3><div class="gallery short">${shown.map(({ row, video, picture }) =>
    strip(picture, {
      description: `Frames of ${test.videos[video]!.id}, an example of the class ${row.name}, in order of time`,
      caption: html`<b>${row.name}</b> ${points(row.difference)} points <span class="id">${test.videos[video]!.id}</span>`,
    }),
  )}</div>`;
}
