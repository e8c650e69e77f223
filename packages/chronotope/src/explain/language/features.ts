import type { Interval } from '../../evaluation/bootstrap.js';
import type { CrossModalResult } from '../../evaluation/cross-modal.js';
import { percent } from '../format.js';
import { html, type Markup } from '../html.js';
import type { Section } from '../sections/section.js';
import { table } from '../table.js';
import { rightShares } from '../tallies.js';
import type { CaptionResults, FeatureProtocolResults, LanguageContent, LanguageTest } from './content.js';

/** What frozen features carry of the classes, and how sentences and videos find each other. */
export function featuresSection({ features, test }: LanguageContent): Section | null {
  const { finished, commands } = features;
  const captions = test?.captions ?? [];
  if (finished.length + commands.length + captions.length === 0) return null;
  const intro =
    finished.length === 0
      ? null
      : html`<p>Here labels of training videos take part: the features of each network are kept as they are, and test videos are compared with
labelled training videos (k-NN, retrieval), or a linear classifier learns from those (linear probe). Beside them recognition by
words, which needs no label. 95 % intervals over the test videos in brackets.</p>${measuresTable(finished, test)}
<p class="explain">${finished.map(({ title, settings }) => html`${title}: ${settings}.<br>`)}</p>`;
  return {
    id: 'features',
    title: 'What its features are good for',
    body: html`${intro}${asked(commands, finished.length > 0)}${captionTable(captions)}`,
  };
}

function measuresTable(finished: readonly FeatureProtocolResults[], test: LanguageTest | null): Markup {
  const networks = finished[0]!.networks;
  const cell = ({ value, low, high }: Interval) => `${percent(value)} (${percent(low)} – ${percent(high)})`;
  const byWords =
    test?.recogniser.by === 'words' ? [['by words', ...networks.map(({ stage }) => zeroShot(stage))]] : [];
  return table({
    columns: [{ title: 'measure' }, ...networks.map(({ title }) => ({ title, kind: 'number' as const }))],
    rows: [
      ...byWords,
      ...finished.flatMap(({ title, networks: measured }) =>
        measured[0]!.measures.map(({ name }, k, { length }) => [
          length === 1 ? title : `${title}, ${name}`,
          ...networks.map(({ stage }) => {
            const own = measured.find((one) => one.stage === stage);
            return own === undefined ? '–' : cell(own.measures[k]!);
          }),
        ]),
      ),
    ],
  });

  function zeroShot(stage: string): string {
    const network = test!.classifiers.findLast((one) => one.stage === stage);
    return network === undefined ? '–' : cell(test!.bootstrap.share(rightShares(network, test!)));
  }
}

/** How to have measured what is not there yet. */
function asked(commands: readonly string[], isSome: boolean): Markup | null {
  if (commands.length === 0) return null;
  return html`<p>${isSome ? 'Not measured yet' : 'What frozen features are good for has not been measured yet'}; the next report will show it after:</p>
<pre tabindex="0">${commands.join('\n')}</pre>`;
}

function captionTable(captions: readonly CaptionResults[]): Markup | null {
  if (captions.length === 0) return null;
  const number = (title: string | number) => ({ title, kind: 'number' as const });
  const counts = captions[0]!.textToVideo.recall.map(({ k }) => number(`first ${k}`));
  const row = ({ title, videos }: CaptionResults, way: string, { recall, medianRank }: CrossModalResult) => [
    ...[title, way, videos],
    ...recall.map(({ value }) => percent(value)),
    medianRank,
  ];
  return html`<h3>Found by their sentences</h3>
${table({
  caption: 'How often the right one is among the first, and the median of its place.',
  columns: [{ title: 'network' }, { title: 'finds' }, number('among'), ...counts, number('median place')],
  rows: captions.flatMap((network) => [
    row(network, 'videos by sentences', network.textToVideo),
    row(network, 'sentences by videos', network.videoToText),
  ]),
})}`;
}
