import type { ReportContent } from './content.js';
import { html } from './html.js';
import { page } from './page.js';
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
  return page({
    windowTitle: `Report: ${content.run}`,
    title: content.run,
    subtitle: `Training report of Chronotope, method TimeBalance, started on ${day}`,
    sections,
    footer: html`Written by <code>chronotope report</code>. Accuracies here are recomputed from the trained networks.`,
  });
}
