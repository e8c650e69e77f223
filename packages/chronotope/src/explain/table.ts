import { type Content, html, type Markup } from './html.js';

export interface Column {
  title: Content;
  /** Numbers are aligned to the right, bars get much room, texts that are kept `together` are not broken. */
  kind?: 'number' | 'wide-cell' | 'together';
}

export interface TableOptions {
  /** Default: none. */
  caption?: Content;
  columns: readonly Column[];
  /** The first cell of a row is its heading. */
  rows: readonly (readonly Content[])[];
  /** Index of a row to stress. */
  stressed?: number;
  /** As narrow as its content instead of as wide as the page. */
  narrow?: boolean;
}

/** A table that scrolls by itself where the page is too narrow for it. */
export function table({ caption = null, columns, rows, stressed, narrow = false }: TableOptions): Markup {
  const kindOf = (column: number) => columns[column]!.kind ?? '';
  const cell = (content: Content, column: number) =>
    column === 0 ? html`<th scope="row">${content}</th>` : html`<td class="${kindOf(column)}">${content}</td>`;
  const heads = columns.map(({ title }, column) => html`<th scope="col" class="${kindOf(column)}">${title}</th>`);
  const lines = rows.map((cells, row) => html`<tr class="${row === stressed ? 'main' : ''}">${cells.map(cell)}</tr>\n`);
  return html`<div class="scroll" tabindex="0"><table class="${narrow ? 'facts' : ''}">
${caption === null ? null : html`<caption><span>${caption}</span></caption>`}
<thead><tr>${heads}</tr></thead>
<tbody>${lines}</tbody></table></div>`;
}
