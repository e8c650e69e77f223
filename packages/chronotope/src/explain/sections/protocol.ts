import type { Protocol, ReportContent } from '../content.js';
import { counted } from '../format.js';
import { html, type Markup } from '../html.js';
import { table } from '../table.js';
import type { Section } from './section.js';

const FACTS = [{ title: 'setting' }, { title: 'value' }];

/** What was done with which videos, and how to do it again. */
export function protocolSection({ protocol, classes }: ReportContent): Section {
  return {
    id: 'protocol',
    title: 'What was done',
    body: html`<p>${sentences(protocol, classes.length)}</p>
<p>TimeBalance learns in three steps. Two networks, the <em>teachers</em>, first learn from all training videos without
looking at labels: the <b class="invariant-text">invariant</b> one learns to see all moments of a video as the same, the
<b class="distinctive-text">distinctive</b> one learns to tell the moments of a video apart. Both are then fine-tuned on the few labelled
videos. Last, a third network, the <em>student</em>, learns from the labels and from what the teachers say about the
unlabelled videos: it believes the invariant teacher more where a video looks the same from beginning to end, and the
distinctive one where it changes. How much a video changes is measured without labels (<em>temporal similarity</em>).</p>
${protocolDetails(protocol)}`,
  };
}

/** Settings, the whole recipe, the machine and the command, of a run of any method. */
export function protocolDetails({
  settings,
  machine,
  recipe,
  command,
}: Pick<Protocol, 'settings' | 'machine' | 'recipe' | 'command'>): Markup {
  return html`<details open><summary>Settings that matter</summary>${table({ columns: FACTS, rows: settings, narrow: true })}</details>
<details><summary>The whole recipe</summary><pre tabindex="0">${recipe}</pre></details>
<details><summary>Machine and versions</summary>${table({ columns: FACTS, rows: machine, narrow: true })}</details>
${command === null ? null : html`<p>To train the same again:</p><pre tabindex="0">${command}</pre>`}`;
}

function sentences({ data, training, testVideos, draws, seed }: Protocol, classes: number): string {
  const known = training?.labelledPerDraw[0];
  const labels = known === training?.videos ? 'all with a label' : `${known} of them with a label`;
  const drawn =
    draws === 1
      ? 'The labelled videos were chosen once.'
      : `The labelled videos were drawn ${draws} times at random, and everything that depends on labels was trained for ` +
        `each of these ${draws} label draws; the pre-training, which needs no labels, is shared.`;
  const trained = training === null ? '' : ` ${counted(training.videos, 'training video')}, ${labels};`;
  const tested = testVideos === 0 ? 'no test videos' : `${counted(testVideos, 'test video')} that training never saw`;
  return (
    `Data: ${data}. ${counted(classes, 'class')};${trained} ${tested}. ${drawn} ` +
    `All random choices follow from the seed ${seed}.`
  );
}
