import type { ClassifierResults } from '../content.js';
import { counted, percent, points } from '../format.js';
import { html, type Markup } from '../html.js';
import { accuracyTable } from '../sections/results.js';
import type { Section } from '../sections/section.js';
import { rightShares } from '../tallies.js';
import type { LanguageContent, LanguageTest, Recogniser } from './content.js';

/** How many test videos each network recognises, and whether training has helped. */
export function recognitionSection({ test, withoutTest, classes }: LanguageContent): Section {
  const [id, title] = ['results', 'What training has gained'];
  if (test === null) {
    return { id, title, body: html`<p class="notice">There are no test results: ${withoutTest}</p>` };
  }
  return {
    id,
    title,
    body: html`<div class="lead">${verdict(test).map((line) => html`<p>${line}</p>`)}</div>
<p>${explained(test.recogniser)} ${compared(test)}</p>
${accuracyTable(test, 1)}
<p class="explain">The thin line is the range in which the true accuracy lies with about 95 % confidence, given that only
${counted(test.videos.length, 'video')} were tested. Guessing among ${counted(classes.length, 'class')} would be right for
${percent(1 / classes.length)}. The last column compares on the same videos, in percentage points: where its interval contains 0, the test
set is too small to say which of the two is better.</p>`,
  };
}

/** The main result in sentences, also when it is not the one hoped for. */
export function verdict({ main, baseline, before, videos, bootstrap }: LanguageTest): string[] {
  const right = rightShares(main, { videos });
  const own = `${main.title}: ${percent(bootstrap.share(right).value)} of ${counted(videos.length, 'test video')} recognised`;
  if (main === baseline) return [`${own}.`];
  const against = (other: ClassifierResults) => {
    const { value, low, high } = bootstrap.difference(right, rightShares(other, { videos }));
    const open = low <= 0 && high >= 0 ? ': not to be told apart on this many videos' : '';
    return `${points(value)} points against “${other.title}” (${points(low)} to ${points(high)})${open}.`;
  };
  return [`${own}, ${against(baseline)}`, ...(before === null || before === main ? [] : [against(before)])];
}

function explained(recogniser: Recogniser): Markup {
  if (recogniser.by === 'neighbours') {
    return html`Videos are recognised by their ${recogniser.k} most similar labelled training videos, because ${recogniser.why}.`;
  }
  const { prompts } = recogniser;
  return html`Videos are recognised by the names of their classes alone, each put into ${counted(prompts.length, 'sentence')} such as
“${prompts[0]!}”. No label had a part in this.`;
}

/** What gains are counted from. */
function compared({ baseline, before, recogniser }: LanguageTest): string {
  if (before === null) return '';
  const kept = recogniser.by === 'neighbours' ? ', whose image tower the run has kept' : '';
  return (
    `“${baseline.title}” is the CLIP that the run started from${kept}: it looks at frames spread over each video one by one, ` +
    `and what they give is averaged. “${before.title}” has the same weights, but sees clips as the trained network does; where ` +
    'attention over time makes it the weaker of the two, gains over it look larger than what training has added to CLIP.'
  );
}
