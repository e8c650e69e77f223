import type { ExcludedVideo, ReportContent } from '../content.js';
import { counted } from '../format.js';
import { html, type Markup } from '../html.js';
import { table } from '../table.js';
import type { Section } from './section.js';

/** Files listed by name. */
const MOST_FILES = 50;

/** Videos that were left out, with the reasons. */
export function healthSection({ health }: Pick<ReportContent, 'health'>): Section {
  const { training, test } = health;
  const body =
    training.length + test.length === 0
      ? html`<p>All videos could be used.</p>`
      : html`<p>Videos that can't be decoded or are too short are left out, never replaced by others.</p>
${list('Left out of training', training)}${list('Left out of testing', test)}`;
  return { id: 'health', title: 'Videos that were left out', body };
}

function list(title: string, videos: readonly ExcludedVideo[]): Markup | null {
  if (videos.length === 0) return null;
  const more = videos.length - MOST_FILES;
  return html`<h3>${title}: ${counted(videos.length, 'video')}</h3>${table({
    columns: [{ title: 'video' }, { title: 'reason' }],
    rows: videos.slice(0, MOST_FILES).map(({ id, reason }) => [id, reason]),
    narrow: true,
  })}${more > 0 ? html`<p>and ${more} more</p>` : null}`;
}
