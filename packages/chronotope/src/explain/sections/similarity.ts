import { extent, meanOf } from '../../evaluation/bootstrap.js';
import { histogram, stackedBar } from '../charts/bars.js';
import { scatterChart } from '../charts/scatter-chart.js';
import type { ReportContent, SimilarityScores, TestResults } from '../content.js';
import { counted, percent } from '../format.js';
import { type Content, html, type Markup } from '../html.js';
import { areaInterval, quantileGroups } from '../statistics.js';
import { table } from '../table.js';
import { classMeans, type TeacherOutcome, teacherOutcomes } from '../tallies.js';
import type { Section } from './section.js';
import { teacherDifferences } from './teachers.js';

const MAPS: Record<string, string> = {
  'min-max': 'stretched so that the lowest score of the training set weighs 0 and the highest 1',
  identity: 'taken as they are',
  'half-shifted': 'taken as (s + 1) / 2',
  rank: 'replaced by their rank among the training videos, from 0 to 1',
  inverted: 'turned around (a check that the weighting matters)',
  mean: 'stretched from 0 to 1 and then replaced by their mean: one weight for all videos',
  constant: 'ignored: both teachers count the same for every video',
};

const SOURCES: Record<string, string> = {
  pretrained: 'as the pre-trained teachers see them',
  projection: 'as the projection heads of pre-training see them',
  'fine-tuned': 'as the fine-tuned teachers see them',
  logits: 'by the logits of the teachers',
};

/** Temporal similarity scores, and whether they tell which teacher is right. */
export function similaritySection({ similarity, test, classes }: ReportContent): Section | null {
  if (similarity === null) return null;
  const { training, source, map } = similarity;
  return {
    id: 'similarity',
    title: 'Does temporal similarity tell which teacher to believe?',
    body: html`<p>The score of a video compares clips from different moments of it, ${SOURCES[source] ?? source}: near 1
when they all look alike, lower when the video changes. In training, the scores were ${MAPS[map] ?? map}; the result is
the weight of the invariant teacher.</p>
<figure>${scoreHistogram(training)}<figcaption>Scores of the ${counted(training.length, 'training video')}: number of
videos by score.</figcaption></figure>
${test && similarity.test ? relation(similarity, similarity.test, test, classes) : UNTESTED}`,
  };
}

const UNTESTED = html`<p class="notice">Without test results it can't be said whether the scores tell which teacher is
right.</p>`;

function scoreHistogram(scores: readonly number[]): Markup {
  const [low, high] = extent(scores);
  const range = `from ${low.toFixed(3)} to ${high.toFixed(3)}`;
  return histogram(scores, 20, `Histogram of the similarity scores of ${scores.length} training videos, ${range}.`);
}

function relation(
  { agreement }: SimilarityScores,
  scores: readonly number[],
  test: TestResults,
  classes: readonly string[],
): Markup | null {
  const rows = teacherDifferences(test, classes);
  if (rows === null) return null;
  const scoreOfClass = classMeans(scores, test, classes);
  const named = rows.map(({ name, index, difference }) => ({ name, x: scoreOfClass[index]!, y: 100 * difference }));
  return html`<p>On the test videos, whose classes are known, the idea can be checked. ${judged(agreement)}</p>
<figure><div class="scroll" tabindex="0">${scatterChart({
    description: 'Each class by its mean similarity and by how many points the invariant teacher is ahead.',
    points: named,
    xTitle: 'mean similarity of the class (right: looks the same all the time)',
    yTitle: 'invariant − distinctive, points',
  })}</div><figcaption>One point a class. If the idea holds, points rise from the lower left (changing classes, distinctive
teacher ahead) to the upper right (steady classes, invariant teacher ahead).</figcaption></figure>
${thirds(scores, test)}
<details><summary>Similarity of every class</summary>${classTable(named)}</details>`;
}

function judged(agreement: SimilarityScores['agreement']): string {
  if (agreement === null) {
    return 'Here no video is recognised by one teacher alone, or all of them by the same one, so it cannot be judged.';
  }
  const { areaUnderCurve, invariant, distinctive } = agreement;
  const { value, low, high } = areaInterval(areaUnderCurve, invariant, distinctive);
  const meaning =
    low > 0.5
      ? 'so the score does point to the right teacher'
      : high < 0.5
        ? 'so here the score points to the wrong teacher'
        : 'so these videos are too few to say whether the score points to the right teacher';
  return [
    `Take one video that only the invariant teacher gets right (there are ${invariant}) and one that only the`,
    `distinctive one does (${distinctive}): the first has the higher score in ${percent(value)} of such pairs`,
    `(95 % interval ${percent(low)} to ${percent(high)}; 50 % would be chance), ${meaning}.`,
  ].join(' ');
}

/** Which teacher is right in the least, middle and most similar third of the videos. */
function thirds(scores: readonly number[], test: TestResults): Markup {
  const outcomes = teacherOutcomes(test).map((outcome, video) => ({ score: scores[video]!, ...outcome }));
  const groups = quantileGroups(outcomes, ({ score }) => score, 3);
  const names = ['changing most', 'in between', 'steadiest'];
  return table({
    caption: 'Test videos in three groups by their score: which teacher is right?',
    columns: [
      { title: 'videos' },
      { title: LEGEND, kind: 'wide-cell' },
      ...['only invariant', 'only distinctive', 'both', 'neither', 'score'].map((title) => ({
        ...{ title, kind: 'number' as const },
      })),
    ],
    rows: groups.flatMap((group, k) => (group.length === 0 ? [] : [thirdRow(names[k]!, group)])),
  });
}

const LEGEND = html`<span class="invariant-text">■ only invariant</span>
<span class="distinctive-text">■ only distinctive</span> <span class="both-text">■ both</span>`;

function thirdRow(name: string, group: readonly (TeacherOutcome & { score: number })[]): Content[] {
  const share = (key: keyof TeacherOutcome) => meanOf(group.map((one) => one[key]));
  const keys = ['onlyInvariant', 'onlyDistinctive', 'both', 'neither'] as const;
  return [
    `${name} (${group.length})`,
    stackedBar([
      ['invariant', share('onlyInvariant')],
      ['distinctive', share('onlyDistinctive')],
      ['both', share('both')],
    ]),
    ...keys.map((key) => percent(share(key))),
    `${group[0]!.score.toFixed(3)} – ${group.at(-1)!.score.toFixed(3)}`,
  ];
}

function classTable(classes: readonly { name: string; x: number }[]): Markup {
  return table({
    columns: [{ title: 'class' }, { title: 'mean similarity', kind: 'number' }],
    rows: [...classes].sort((a, b) => b.x - a.x).map(({ name, x }) => [name, x.toFixed(4)]),
    narrow: true,
  });
}
