import { type Interval, meanOf } from '../../evaluation/bootstrap.js';
import { intervalBar } from '../charts/bars.js';
import type { ClassifierResults, ReportContent, TestResults } from '../content.js';
import { counted, percent, points } from '../format.js';
import { type Content, html, type Markup } from '../html.js';
import { table } from '../table.js';
import { rightShares } from '../tallies.js';
import type { Section } from './section.js';

const SEVERAL_DRAWS =
  'The intervals tell what other test videos could change, and the spread of the dots what other labels could.';
const ONE_DRAW = 'There is one label draw, so nothing is known about how much the choice of labels matters.';

type Tested = Pick<TestResults, 'main' | 'classifiers' | 'videos' | 'bootstrap'>;

/** Every classifier's accuracy, and what may be concluded about the main one. */
export function resultsSection({ test, withoutTest, classes }: ReportContent): Section {
  const title = 'How good it is';
  if (test === null) {
    return { id: 'results', title, body: html`<p class="notice">There are no test results: ${withoutTest}</p>` };
  }
  const { videos, classifiers } = test;
  const draws = Math.max(...classifiers.map((classifier) => classifier.draws.length));
  return {
    id: 'results',
    title,
    body: html`<div class="lead">${verdict(test).map((line) => html`<p>${line}</p>`)}</div>
${accuracyTable(test, draws)}
<p class="explain">The bar is the accuracy; the thin line is the range in which the true accuracy lies with about 95 %
confidence, given that only ${counted(videos.length, 'video')} were tested${draws > 1 ? '; the dots are the label draws' : ''}.
Guessing among ${classes.length} classes would be right for ${percent(1 / classes.length)}. The last column compares on
the same videos, in percentage points with its 95 % interval: where the interval contains 0, the test set is too small
to say which of the two is better. ${draws > 1 ? SEVERAL_DRAWS : ONE_DRAW}</p>`,
  };
}

/** The main result in words, line by line, also when it is not the one hoped for. */
export function verdict(test: TestResults): string[] {
  const { main, classifiers, videos, bootstrap } = test;
  const right = rightShares(main, test);
  const { value, low, high } = bootstrap.share(right);
  const own = `The ${main.title} recognises ${percent(value)} of ${counted(videos.length, 'test video')} (95 % interval ${percent(low)} to ${percent(high)}).`;
  const others = classifiers.filter((classifier) => classifier !== main);
  if (main.role !== 'student' || others.length === 0) return [own];
  const compared = others.map((other) => ({
    title: other.title,
    difference: bootstrap.difference(right, rightShares(other, test)),
  }));
  const listed = (wanted: (difference: Interval) => boolean) =>
    compared
      .filter(({ difference }) => wanted(difference))
      .map(({ title, difference }) => `“${title}” (${points(difference.value)})`)
      .join(', ');
  const better = listed(({ low }) => low > 0);
  const worse = listed(({ high }) => high < 0);
  const open = listed(({ low, high }) => low <= 0 && high >= 0);
  return [
    own,
    better && `Clearly better, by percentage points, than: ${better}.`,
    worse && `Clearly worse than: ${worse}.`,
    open && `Not to be told apart on this many test videos from: ${open}.`,
  ].filter((line) => line !== '');
}

/** Every network's accuracy with its interval, and its difference to the main one. */
export function accuracyTable(test: Tested, draws: number): Markup {
  const { main, classifiers, videos } = test;
  const over = draws > 1 ? `, mean over ${draws} label draws` : '';
  const eachDraw = draws > 1 ? [{ title: 'each draw', kind: 'together' as const }] : [];
  return table({
    caption: `Share of the ${videos.length} test videos recognised right${over}.`,
    columns: [
      { title: 'network' },
      { title: 'right', kind: 'number' },
      { title: '0 to 100 %', kind: 'wide-cell' },
      { title: '95 % interval', kind: 'number' },
      ...eachDraw,
      { title: `${main.role === 'baseline' ? 'stressed row' : main.role} minus this`, kind: 'number' },
    ],
    rows: classifiers.map((classifier) => accuracyRow(classifier, test, draws)),
    stressed: classifiers.indexOf(main),
  });
}

function accuracyRow(classifier: ClassifierResults, test: Tested, mostDraws: number): Content[] {
  const right = rightShares(classifier, test);
  const estimate = test.bootstrap.share(right);
  const singles = classifier.draws.map((draw) => meanOf(rightShares({ ...classifier, draws: [draw] }, test)));
  const { value, low, high } = test.bootstrap.difference(rightShares(test.main, test), right);
  return [
    classifier.title,
    percent(estimate.value),
    intervalBar(estimate, singles, classifier.role),
    `${percent(estimate.low)} – ${percent(estimate.high)}`,
    ...(mostDraws > 1 ? [singles.map(percent).join(' · ')] : []),
    classifier === test.main ? '' : `${points(value)} (${points(low)} to ${points(high)})`,
  ];
}
