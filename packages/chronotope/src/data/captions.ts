import { z } from 'zod';
import { type JsonLinesFormat, lineError, readJsonLines } from './json-lines.js';
import type { ManifestEntry } from './manifest.js';

/** The file of sentences that may lie beside class folders. */
export const CAPTIONS_FILE = 'captions.jsonl';

const format: JsonLinesFormat<{ path: string; text: string }> = {
  schema: z.object({
    path: z.string('must be the path of a video').min(1, 'must not be empty'),
    text: z.string('must be a sentence about the video').trim().min(1, 'must not be empty'),
  }),
  unreadable: 'captions-unreadable',
  invalid: 'captions-invalid',
  hint: 'A line of captions is {"path": <a video below the folder>, "text": <a sentence about it>}.',
};

/**
 * Entries with the sentences of a captions file as their `text`. Sentences about videos that are not in the list are
 * passed over, so that a file of captions can serve several parts of a data set.
 *
 * @param file JSON Lines of `{"path": <id of an entry>, "text": <sentence>}`
 * @throws ChronotopeError `captions-unreadable`; `captions-invalid` for a line that is wrong or names a video again
 */
export function withCaptions(entries: readonly ManifestEntry[], file: string): ManifestEntry[] {
  const captions = new Map<string, string>();
  for (const { value, line } of readJsonLines(file, format)) {
    if (captions.has(value.path)) throw lineError(file, line, `"${value.path}" has a caption already`, format);
    captions.set(value.path, value.text);
  }
  return entries.map((entry) => {
    const text = captions.get(entry.id);
    return text === undefined ? entry : { ...entry, text };
  });
}
