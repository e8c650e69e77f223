import { html, type Markup } from '../html.js';
import { page } from '../page.js';
import { confusionSection } from '../sections/confusion.js';
import { healthSection } from '../sections/health.js';
import { ledgerSection } from '../sections/ledger.js';
import type { Section } from '../sections/section.js';
import type { LanguageContent } from './content.js';
import { featuresSection } from './features.js';
import { gainsSection } from './gains.js';
import { failuresSection, timelinesSection } from './pictures.js';
import { protocolSection } from './protocol.js';
import { recognitionSection } from './recognition.js';
import { trainingSection } from './training.js';

/** The report of a run of CLIP or LSS as one HTML page: what it has gained, what was done, what it sees over time, its mistakes. */
export function renderLanguage(content: LanguageContent): string {
  const sections = [
    recognitionSection(content),
    protocolSection(content),
    gainsSection(content),
    featuresSection(content),
    timelinesSection(content),
    failuresSection(content),
    confusionSection(content),
    trainingSection(content),
    healthSection(content),
    ledgerSection(content),
  ].filter((section): section is Section => section !== null);
  return page({
    windowTitle: `Report: ${content.run}`,
    title: content.run,
    subtitle: `Training report of Chronotope, method ${content.method}, started on ${content.startedAt.slice(0, 10)}`,
    sections,
    footer: footer(),
  });
}

function footer(): Markup {
  return html`Written by <code>chronotope report</code>. Accuracies here are recomputed from the trained networks.`;
}
