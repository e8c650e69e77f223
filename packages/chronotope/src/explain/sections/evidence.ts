import { momentBars } from '../charts/bars.js';
import type { ExplainedPrediction, ReportContent, TestResults } from '../content.js';
import { percent } from '../format.js';
import { html, type Markup } from '../html.js';
import { image } from '../pictures.js';
import type { Section } from './section.js';

/** The most confident mistakes and some successes, each with the map of its evidence. */
export function evidenceSection({ test, classes }: ReportContent): Section | null {
  if (test === null || test.mistakes.length + test.successes.length === 0) return null;
  return {
    id: 'evidence',
    title: 'Where it looks, and its most confident mistakes',
    body: html`<p>Each pair of strips shows the clip that spoke most for the answer, of those that the network judged in a
video, and below it what it saw there: <b class="for-text">orange</b> spoke for the answer,
<b class="against-text">blue</b> against it, for the class it is compared with. The bars sum this up for each moment. These
maps (class activation maps) are exact, not an approximation: but for a constant, their mean is the difference between the
two classes in the network's output before the softmax. They are coarse, because the network's last layer sees few
positions. All pictures are of the ${test.main.title} of the first label draw.</p>
${group('Wrong, and most sure of it', 'No video was recognised wrong.', test.mistakes, test, classes)}
${group('Right, and most sure of it, one a class', 'No video was recognised right.', test.successes, test, classes)}`,
  };
}

function group(
  title: string,
  otherwise: string,
  predictions: readonly ExplainedPrediction[],
  test: TestResults,
  classes: readonly string[],
): Markup {
  if (predictions.length === 0) return html`<h3>${title}</h3><p class="none">${otherwise}</p>`;
  return html`<h3>${title}</h3><div class="gallery">${predictions.map((one) => figure(one, test, classes))}</div>`;
}

function figure(prediction: ExplainedPrediction, test: TestResults, classes: readonly string[]): Markup {
  const { id, truth } = test.videos[prediction.video]!;
  const answer = classes[prediction.predicted]!;
  const other = classes[prediction.against]!;
  const wrong = prediction.predicted !== truth;
  const strongest = prediction.moments.indexOf(Math.max(...prediction.moments)) + 1;
  const moments = `Evidence for ${answer} in ${prediction.moments.length} moments of the clip, strongest in moment ${strongest}`;
  const painted = `The same frames painted with the evidence for ${answer} against ${other}`;
  const sure = `(${percent(prediction.confidence)} sure)`;
  const caption = wrong
    ? html`<b class="wrong-text">✗ ${answer}</b> ${sure}, in truth <b>${other}</b>`
    : html`<b class="right-text">✓ ${answer}</b> ${sure}, compared with ${other}`;
  return html`<figure>${image(prediction.frames, `Frames of ${id} in order of time`)}
${image(prediction.evidence, painted)}${momentBars(prediction.moments, moments)}
<figcaption>${caption} <span class="id">${id}</span></figcaption></figure>`;
}
