import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { loadSafetensors, saveSafetensors, scope, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import { type Concept, readConcepts } from '../language/concept-file.js';
import { buildConceptSpace, type ConceptSpace, type Control, controlSpace } from '../language/concept-space.js';
import { openLanguageModel, weightsHash } from './language-model.js';

/**
 * Where the classes of LSS's three variants come from. Which letter is which is not known of the paper; this is ours (see
 * docs/language.md). `C` is a list of the user's, written by a language model.
 */
export const LSS_VARIANTS = { A: 'kinetics400+ucf101+hmdb51', B: 'kinetics400' } as const;

/** Settings of {@link buildConcepts}. */
export interface BuildConceptsOptions {
  /** Shipped lists and files, joined by `+`; see `readConcepts`. */
  concepts: string;
  /** Prompts with `{}` for the name of a class. */
  templates: readonly string[];
  /** Takes the meaning out of the space. */
  control?: Control;
  /** Of the control. Default 1. */
  seed?: number;
  /** The safetensors file to write. */
  out: string;
}

/** A concept space in a file. */
export interface SavedConcepts {
  file: string;
  /** Of the text tower's weights, the concepts, the prompts and the control: the same hash means the same space. */
  hash: string;
  space: ConceptSpace;
  templates: string[];
  control: Control | null;
}

const FORMAT = 'chronotope-concepts-1';

interface Facts {
  hash: string;
  names: string[];
  sentences: string[];
  classOf: number[];
  templates: string[];
  control: Control | null;
}

/**
 * Encodes concepts with a text tower and writes them: tensors `category` [N, E], and where classes are described
 * `description` [N, E] and `descriptions` [M, E], with what they stand for as JSON in the metadata `concepts`. A file that
 * holds the same space already is left as it is.
 *
 * @param source a run with a text tower, or a file of CLIP weights
 * @returns the space, whose tensors the caller disposes, and whether it was there already
 * @throws ChronotopeError those of `openLanguageModel`, `readConcepts` and `buildConceptSpace`
 */
export function buildConcepts(source: string, options: BuildConceptsOptions): SavedConcepts & { reused: boolean } {
  const { templates, control = null, seed = 1, out } = options;
  const concepts = readConcepts(options.concepts);
  const model = openLanguageModel(source);
  try {
    const hash = hashOf({ weights: weightsHash(model.clip.text), concepts, templates, control, seed });
    const kept = existsSync(out) ? loadConcepts(out) : null;
    if (kept?.hash === hash) return { ...kept, reused: true };
    const space = scope(() => {
      const built = buildConceptSpace(concepts, model.encoder, templates);
      return control === null ? built : controlSpace(built, control, seed);
    });
    const saved = { file: out, hash, space, templates: [...templates], control };
    saveConcepts(saved);
    return { ...saved, reused: false };
  } finally {
    model.dispose();
  }
}

/**
 * Reads a file of {@link buildConcepts}.
 *
 * @throws ChronotopeError `not-concepts` for another file; TorchError `io`
 */
export function loadConcepts(file: string): SavedConcepts {
  const { tensors, metadata } = loadSafetensors(file);
  const category = tensors.get('category');
  if (metadata.format !== FORMAT || category === undefined) {
    throw new ChronotopeError('not-concepts', `${file} holds no concept space`, {
      hint: 'Such files are written by chronotope concepts build.',
      details: { file },
    });
  }
  const { hash, templates, control, ...facts } = JSON.parse(metadata.concepts!) as Facts;
  const description = tensors.get('description') ?? null;
  const descriptions = tensors.get('descriptions') ?? null;
  return { file, hash, templates, control, space: { ...facts, category, description, descriptions } };
}

function saveConcepts({ file, hash, space, templates, control }: SavedConcepts): void {
  const { names, sentences, classOf, category, description, descriptions } = space;
  const facts: Facts = { hash, names, sentences, classOf, templates, control };
  const tensors: Record<string, Tensor> = { category };
  if (description !== null && descriptions !== null) Object.assign(tensors, { description, descriptions });
  saveSafetensors(file, tensors, { metadata: { format: FORMAT, concepts: JSON.stringify(facts) } });
}

function hashOf(facts: { concepts: readonly Concept[] } & Record<string, unknown>): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

/** How much a class of a space resembles its nearest other one. */
export interface ConceptNeighbour {
  name: string;
  nearest: string;
  /** Cosine between the two. */
  similarity: number;
}

/** The nearest other class of each class, most alike first: classes that will be confused. */
export function nearestConcepts({ names, category }: Pick<ConceptSpace, 'names' | 'category'>): ConceptNeighbour[] {
  const count = names.length;
  const cosines = scope(() => category.matmul(category.transpose(0, 1)).data() as Float32Array);
  return names
    .map((name, row): ConceptNeighbour => {
      let best = row === 0 ? 1 % count : 0;
      for (let other = 0; other < count; other++) {
        if (other !== row && cosines[row * count + other]! > cosines[row * count + best]!) best = other;
      }
      return { name, nearest: names[best]!, similarity: cosines[row * count + best]! };
    })
    .sort((a, b) => b.similarity - a.similarity);
}
