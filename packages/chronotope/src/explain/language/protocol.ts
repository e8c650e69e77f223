import { counted } from '../format.js';
import { html, type Markup } from '../html.js';
import { protocolDetails } from '../sections/protocol.js';
import type { Section } from '../sections/section.js';
import type { LanguageContent, LanguageProtocol } from './content.js';

/** What was done with which videos, and how to do it again. */
export function protocolSection({ protocol, classes }: LanguageContent): Section {
  return {
    id: 'protocol',
    title: 'What was done',
    body: html`<p>${sentences(protocol, classes.length)}</p>
<p>${METHODS[protocol.learns]}</p>
${protocolDetails(protocol)}`,
  };
}

function sentences({ data, training, testVideos, seed, learns }: LanguageProtocol, classes: number): string {
  const captions =
    training && learns === 'captions' ? `, ${training.captions} of them with a sentence to learn from` : '';
  const trained = training === null ? '' : ` ${counted(training.videos, 'training video')}${captions};`;
  const tested = testVideos === 0 ? 'no test videos' : `${counted(testVideos, 'test video')} that training never saw`;
  const known = classes === 0 ? '' : ` ${counted(classes, 'class')};`;
  const blind = learns === 'captions' ? 'No label' : 'No label and no sentence about a video';
  return `Data: ${data}.${known}${trained} ${tested}. ${blind} had a part in training. All random choices follow from the seed ${seed}.`;
}

const STUDENT = html`A network, the <em>student</em>, sees each video in several views, small and short ones among them, and learns to say
what another, the <em>teacher</em>, says of other views that show all of it. The teacher follows the student slowly, and is the one that is
tested.`;

const METHODS: Record<LanguageProtocol['learns'], Markup> = {
  captions: html`Two networks learn together: one sees a frame, the other reads a sentence. In each step every frame must find the sentence
about its video among those of the other videos, and every sentence its frame. Then frames and words lie in one space, in which
videos are recognised by names and found by sentences.`,
  concepts: html`A CLIP knows which words go with a picture, and nothing of time. LSS adapts it to video by videos alone. ${STUDENT} What both say of a
video is how near it is to <em>concepts</em>: directions of action names, and of descriptions of what actions look like. The concepts do not
move, so that a network that started from a CLIP can still be asked by words.`,
  outputs: html`${STUDENT} What both say of a video are outputs that are learnt along with them and mean nothing by themselves: this is SVT, the
method that LSS builds on, without its words.`,
  features: html`${STUDENT} What both say of a video are its features, compared by their direction, without words.`,
};
