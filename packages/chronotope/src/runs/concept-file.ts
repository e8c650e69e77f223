import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { loadSafetensors } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import type { ConceptVectors } from '../methods/lss/concept-spaces.js';

const FORMAT = 'chronotope-concepts-1';

/** Concept vectors from a file. */
export interface ConceptFile {
  vectors: ConceptVectors;
  /** The categories' names. */
  names: string[];
  /** SHA-256 of the file. */
  hash: string;
}

/**
 * Reads concept vectors: safetensors with `categories` [N_c, E] and, where there are any, `descriptions` [N_d, E] and
 * `category_of` int64 [N_d]; metadata `format` (`chronotope-concepts-1`) and `names`, a JSON list of N_c.
 *
 * @throws ChronotopeError `concepts-invalid`; TorchError `io` for a file that cannot be read
 */
export function readConceptFile(file: string): ConceptFile {
  const { tensors, metadata } = loadSafetensors(file);
  const categories = tensors.get('categories');
  const fail = (problem: string) =>
    new ChronotopeError('concepts-invalid', `${file} holds no concept vectors: ${problem}`, {
      hint: 'Make the file as docs/lss.md says.',
    });
  if (metadata.format !== FORMAT) throw fail(`its format is ${metadata.format ?? 'not named'}, not ${FORMAT}`);
  if (categories?.ndim !== 2) throw fail('there is no matrix "categories"');
  const names = JSON.parse(metadata.names ?? '[]') as string[];
  if (names.length !== categories.shape[0]) {
    throw fail(`${categories.shape[0]} categories have ${names.length} names`);
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw fail(`the category "${twice}" is there twice`);
  const descriptions = tensors.get('descriptions') ?? null;
  const categoryOf = (tensors.get('category_of')?.toArray() ?? []) as (number | bigint)[];
  const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
  return { vectors: { categories, descriptions, categoryOf: categoryOf.map(Number) }, names, hash };
}
