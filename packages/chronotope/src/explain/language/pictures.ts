import { percent } from '../format.js';
import { html, type Markup } from '../html.js';
import { image, strip } from '../pictures.js';
import type { Section } from '../sections/section.js';
import type { ConceptTimeline, Failure, LanguageContent, LanguageTest } from './content.js';

/** Which concepts fire while a video goes on. */
export function timelinesSection({ test, classes }: LanguageContent): Section | null {
  if (test === null || test.timelines.length === 0) return null;
  return {
    id: 'concepts',
    title: 'What it sees over time',
    body: html`<p>${test.timelines.every(isWhole) ? WHOLE : MOMENTS} ${test.concepts}</p>
${test.timelines.map((timeline) => timelineFigure(timeline, test, classes))}`,
  };
}

const MOMENTS =
  'Each column is a moment of the video, each row one of the concepts that are most probable at some moment; the darker, the ' +
  'more probable. A network that looks at single frames can only say what a moment looks like.';
const WHOLE =
  'Each row is one of the concepts that are most probable; the darker, the more probable. A clip of this network covers all of a ' +
  'video, so there is one probability for the whole.';

function isWhole({ concepts }: ConceptTimeline): boolean {
  return concepts[0]?.probabilities.length === 1;
}

function timelineFigure(
  { video, strip: frames, concepts }: ConceptTimeline,
  test: LanguageTest,
  classes: readonly string[],
) {
  const { id, truth } = test.videos[video]!;
  const span = concepts[0]?.probabilities.length === 1 ? 'of the whole video' : 'from the beginning to the end';
  const moments = concepts[0]?.probabilities.length ?? 0;
  const rows = concepts.map(({ name, probabilities }) => {
    const cells = probabilities.map((probability, moment) => {
      const shade = `--share:${(100 * probability).toFixed(0)}%`;
      const title = `${name} in moment ${moment + 1}: ${percent(probability)}`;
      const strong = probability > 0.55 ? 'right strong' : 'right';
      return html`<td class="${strong}" style="${shade}" title="${title}">${Math.round(100 * probability)}</td>`;
    });
    return html`<tr><th scope="row">${name}</th>${cells}</tr>\n`;
  });
  return html`<figure><figcaption><b>${classes[truth]!}</b> <span class="id">${id}</span></figcaption>
<div class="scroll" tabindex="0"><table class="confusion timeline"><caption><span>Probability in %, ${span}</span></caption>
<thead><tr><th scope="col">concept</th><td colspan="${moments}">${image(frames, `Frames of ${id} in order of time`)}</td></tr></thead>
<tbody>${rows}</tbody></table></div></figure>`;
}

/** The most confident mistakes, with what was most probable. */
export function failuresSection({ test, classes }: LanguageContent): Section | null {
  if (test === null) return null;
  const { failures, main } = test;
  const body =
    failures.length === 0
      ? html`<p class="none">No video that can be shown was recognised wrong.</p>`
      : html`<p>Videos that “${main.title}” recognises wrong and is most sure of.</p>
<div class="gallery">${failures.map((failure) => failureFigure(failure, test, classes))}</div>`;
  return { id: 'failures', title: 'Its most confident mistakes', body };
}

function failureFigure(
  { video, strip: frames, ranking }: Failure,
  test: LanguageTest,
  classes: readonly string[],
): Markup {
  const { id, truth } = test.videos[video]!;
  const [first, ...others] = ranking;
  const rest = others.map(({ name, confidence }) => `${name} ${percent(confidence)}`).join(', ');
  const caption = html`<b class="wrong-text">✗ ${first!.name}</b> ${percent(first!.confidence)}, then ${rest}; in truth
<b>${classes[truth]!}</b> <span class="id">${id}</span>`;
  return strip(frames, { description: `Frames of ${id} in order of time`, caption });
}
