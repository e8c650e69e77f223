import type { Picture } from './content.js';
import { html, type Markup } from './html.js';

/** A film strip with its caption. */
export function strip(
  { source, width, height }: Picture,
  { description, caption }: { description: string; caption: Markup },
): Markup {
  return html`<figure>${image({ source, width, height }, description)}<figcaption>${caption}</figcaption></figure>`;
}

/** An embedded picture; the description is its alternative text. */
export function image({ source, width, height }: Picture, description: string): Markup {
  return html`<img src="${source}" width="${width}" height="${height}" alt="${description}">`;
}
