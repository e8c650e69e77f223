import type { NeighbourRow, ReportContent, TestResults } from '../content.js';
import { percent } from '../format.js';
import { html, type Markup } from '../html.js';
import { strip } from '../pictures.js';
import type { Section } from './section.js';

/** Which videos the network finds alike. */
export function neighboursSection({ test, classes }: ReportContent): Section | null {
  if (test === null || test.neighbours.length === 0) return null;
  return {
    id: 'neighbours',
    title: 'What it finds alike',
    body: html`<p>Some test videos, and the other test videos whose features (the network's description of a video, before the
last layer) are most similar. Good features put videos of one class together: for ${percent(test.nearestOfSameClass)} of all
test videos the nearest one has the same class. Features of the ${test.main.title} of the first label draw, mean over the
clips of a video; similarity is the cosine.</p>
${test.neighbours.map((row) => neighbourRow(row, test, classes))}`,
  };
}

function neighbourRow({ video, neighbours }: NeighbourRow, test: TestResults, classes: readonly string[]): Markup {
  const { truth } = test.videos[video]!;
  const figure = (index: number, note: Markup) => {
    const picture = test.strips.get(index);
    const { id, truth } = test.videos[index]!;
    const caption = html`${note} <span class="id">${id}</span>`;
    return picture ? strip(picture, { description: `Frames of ${id}, class ${classes[truth]!}`, caption }) : null;
  };
  return html`<div class="neighbours">${figure(video, html`<b>${classes[truth]!}</b>, the video asked for`)}${neighbours.map(
    ({ index, similarity }) => {
      const name = classes[test.videos[index]!.truth]!;
      const same = test.videos[index]!.truth === truth;
      return figure(
        index,
        html`<b class="${same ? 'right-text' : 'wrong-text'}">${same ? '✓' : '✗'} ${name}</b> similarity ${similarity.toFixed(3)}`,
      );
    },
  )}</div>`;
}
