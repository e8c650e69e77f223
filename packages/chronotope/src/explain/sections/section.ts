import type { Markup } from '../html.js';

/** One chapter of the report. */
export interface Section {
  /** Its anchor. */
  id: string;
  title: string;
  body: Markup;
}
