import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const FENCED = /^```.*?^```/gms;
const INLINE_CODE = /`[^`\n]*`/g;
const LINK = /\[[^\]]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g;

/**
 * Relative links of a Markdown file that lead nowhere: to a file that is not there, or to a heading that its page does
 * not have. Addresses on the web are not looked at.
 *
 * @returns {string[]} the targets as they are written
 */
export function brokenLinks(page) {
  const text = readFileSync(page, 'utf8').replace(FENCED, '').replace(INLINE_CODE, '');
  const targets = [...text.matchAll(LINK)].map((match) => match[1]).filter((target) => !/^[a-z]+:/.test(target));
  return targets.filter((target) => {
    const [path, heading] = target.split('#');
    const file = path === '' ? page : join(dirname(page), path);
    if (!existsSync(file)) return true;
    return heading !== undefined && file.endsWith('.md') && !anchorsOf(readFileSync(file, 'utf8')).has(heading);
  });
}

/** Anchors of a page's headings as GitHub forms them: lower case, hyphens for blanks, no punctuation. */
function anchorsOf(text) {
  const headings = text.replace(FENCED, '').matchAll(/^#+ +(.+?) *$/gm);
  const plain = (heading) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '');
  return new Set([...headings].map((match) => plain(match[1]).replaceAll(' ', '-')));
}
