import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { loadSafetensors, saveSafetensors, scope, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import { type Concept, conceptsOfNames, readConcepts, shippedConcepts } from '../language/concept-file.js';
import { buildConceptSpace, type ConceptSpace, type Control, controlSpace } from '../language/concept-space.js';
import { openLanguageModel, weightsHash } from './language-model.js';

/**
 * Where the classes of LSS's three variants come from. Which letter is which is not known of the paper; this is ours (see
 * docs/language.md). `C` is a list that a language model has written.
 */
export const LSS_VARIANTS = { A: 'kinetics400+ucf101+hmdb51', B: 'kinetics400', C: 'lss-c' } as const;

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
  return withTextTower(source, concepts, { templates, control, seed }, ({ hash, encode }) => {
    const kept = existsSync(out) ? loadConcepts(out) : null;
    if (kept?.hash === hash) return { ...kept, reused: true };
    const saved = { file: out, hash, space: encode(), templates: [...templates], control };
    saveConcepts(saved);
    return { ...saved, reused: false };
  });
}

/**
 * The concept space of a recipe's list, with a hash as {@link buildConcepts} gives it.
 *
 * @param list `A`, `B`, `C`; lists and files as `readConcepts` takes them; or `data` for the classes of the data
 * @param options.source a file of CLIP weights
 * @param options.classes of the data, as it spells them
 * @throws ChronotopeError those of `openLanguageModel`, `readConcepts` and `buildConceptSpace`
 */
export function encodeConceptList(
  list: string,
  { source, templates, classes }: { source: string; templates: readonly string[]; classes: readonly string[] },
): Pick<SavedConcepts, 'hash' | 'space'> {
  const variant = LSS_VARIANTS[list as keyof typeof LSS_VARIANTS];
  const concepts = list === 'data' ? conceptsOfClasses(classes) : readConcepts(variant ?? list);
  const settings = { templates, control: null, seed: 1 };
  return withTextTower(source, concepts, settings, ({ hash, encode }) => ({ hash, space: encode() }));
}

/** Classes with the descriptions of the shipped lists, if these describe every one; else names alone. */
function conceptsOfClasses(classes: readonly string[]): Concept[] {
  const concepts = conceptsOfNames(classes, 'the data');
  const described = new Map(
    shippedConcepts()
      .flatMap(readConcepts)
      .map((concept) => [concept.name, concept]),
  );
  const found = concepts.map(({ name }) => described.get(name));
  return found.every((concept) => concept !== undefined) ? found : concepts;
}

interface SpaceSettings {
  templates: readonly string[];
  control: Control | null;
  seed: number;
}

/** Opens a text tower for `use`, which gets the hash of a space and may ask for the space itself. */
function withTextTower<T>(
  source: string,
  concepts: readonly Concept[],
  { templates, control, seed }: SpaceSettings,
  use: (space: { hash: string; encode: () => ConceptSpace }) => T,
): T {
  const model = openLanguageModel(source);
  try {
    const hash = hashOf({ weights: weightsHash(model.clip.text), concepts, templates, control, seed });
    const encode = (): ConceptSpace =>
      scope(() => {
        const built = buildConceptSpace(concepts, model.encoder, templates);
        return control === null ? built : controlSpace(built, control, seed);
      });
    return use({ hash, encode });
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
