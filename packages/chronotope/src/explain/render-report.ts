import type { ReportContent } from './content.js';
import { html, Markup } from './html.js';
import { confusionSection } from './sections/confusion.js';
import { curvesSection } from './sections/curves.js';
import { evidenceSection } from './sections/evidence.js';
import { healthSection } from './sections/health.js';
import { ledgerSection } from './sections/ledger.js';
import { neighboursSection } from './sections/neighbours.js';
import { protocolSection } from './sections/protocol.js';
import { resultsSection } from './sections/results.js';
import { similaritySection } from './sections/similarity.js';
import { teachersSection } from './sections/teachers.js';
import { STYLE } from './style.js';

/** A report as one HTML page with everything inside: style, charts and pictures; no scripts, nothing loaded. */
export function renderReport(content: ReportContent): string {
  const sections = [
    resultsSection(content),
    protocolSection(content),
    teachersSection(content),
    similaritySection(content),
    confusionSection(content),
    evidenceSection(content),
    neighboursSection(content),
    curvesSection(content),
    healthSection(content),
    ledgerSection(content),
  ].filter((section) => section !== null);
  const day = content.startedAt.slice(0, 10);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Report: ${content.run}</title><style>${new Markup(STYLE)}</style></head>
<body><header><h1>${content.run}</h1><p class="soft">Training report of Chronotope, method TimeBalance, started on ${day}</p>
<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav></header>
<main>${sections.map(
    ({ id, title, body }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${body}</section>
`,
  )}</main>
<footer>Written by <code>chronotope report</code>. Accuracies here are recomputed from the trained networks.</footer></body></html>
`.text;
}
