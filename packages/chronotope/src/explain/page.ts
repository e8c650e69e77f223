import { type Content, html, Markup } from './html.js';
import type { Section } from './sections/section.js';
import { STYLE } from './style.js';

/** An HTML page with everything inside: style, charts and pictures; no scripts, nothing loaded. */
export function page(content: {
  /** In the window's title bar. */
  windowTitle: string;
  title: string;
  subtitle: Content;
  sections: readonly Section[];
  footer: Content;
}): string {
  const { windowTitle, title, subtitle, sections, footer } = content;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${windowTitle}</title><style>${new Markup(STYLE)}</style></head>
<body><header><h1>${title}</h1><p class="soft">${subtitle}</p>
<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav></header>
<main>${sections.map(
    ({ id, title, body }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${body}</section>
`,
  )}</main>
<footer>${footer}</footer></body></html>
`.text;
}
