/** A piece of HTML that needs no more escaping. */
export class Markup {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

/** What may stand in a `${…}` of {@link html}; `null` stands for nothing. */
export type Content = string | number | Markup | null | readonly Content[];

/**
 * Template tag for HTML and SVG: everything put in is escaped, except what this tag made itself; lists are joined. So
 * names of classes and files may hold anything, in text and in quoted attributes.
 */
export function html(parts: TemplateStringsArray, ...values: Content[]): Markup {
  return new Markup(parts.map((part, k) => part + (k < values.length ? rendered(values[k]!) : '')).join(''));
}

function rendered(content: Content): string {
  if (content === null) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'string' || typeof content === 'number') return escaped(String(content));
  return content.map(rendered).join('');
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Control characters, which HTML does not allow, become the replacement character. */
function escaped(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!)
    .replace(/\p{Cc}/gu, (character) => (/[\t\n]/.test(character) ? character : '\ufffd'));
}
