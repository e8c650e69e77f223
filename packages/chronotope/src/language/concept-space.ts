import { linalgQr, nn, scope, type Tensor, tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import { randomStream } from '../random.js';
import type { Concept } from './concept-file.js';
import type { TextEncoder } from './text-features.js';

/**
 * The axes that videos are compared in: classes through prompts, and descriptions of the classes. Rows of all tensors are
 * of length 1 and have the size of CLIP's embeddings, E.
 */
export interface ConceptSpace {
  /** The classes in words: names of the rows of `category` and `description`. */
  names: string[];
  /** `[N, E]` */
  category: Tensor;
  /** `[N, E]`: of each class the mean direction of its descriptions; null if no class has any. */
  description: Tensor | null;
  /** `[M, E]`: every description by itself; null if no class has any. */
  descriptions: Tensor | null;
  /** Which class each of the M descriptions is about. */
  classOf: number[];
  /** The M descriptions. */
  sentences: string[];
}

/**
 * The concept space of a list of classes (LSS, section 4 of the method note): categories are mean prompts, descriptions
 * are encoded as they are.
 *
 * @throws ChronotopeError `description-missing` if some classes have descriptions and others have none
 */
export function buildConceptSpace(
  concepts: readonly Concept[],
  encoder: TextEncoder,
  templates: readonly string[],
): ConceptSpace {
  const names = concepts.map(({ name }) => name);
  const without = concepts.filter(({ descriptions }) => descriptions.length === 0);
  if (without.length > 0 && without.length < concepts.length) throw descriptionMissing(without, concepts);
  const sentences = concepts.flatMap(({ descriptions }) => descriptions);
  const classOf = concepts.flatMap(({ descriptions }, index) => descriptions.map(() => index));
  return scope(() => {
    const category = encoder.classVectors(names, templates);
    if (sentences.length === 0) return { names, category, description: null, descriptions: null, classOf, sentences };
    const descriptions = encoder.encode(sentences);
    return {
      names,
      category,
      description: meanByClass(descriptions, classOf, names.length),
      descriptions,
      classOf,
      sentences,
    };
  });
}

/**
 * What stands for each class in zero-shot recognition: the direction of its name and, where there are descriptions, that of
 * their mean, half of each however many there are (descriptions as classifiers: Menon and Vondrick, ICLR 2023).
 *
 * @returns `[N, E]`, each row of length 1
 */
export function classDirections(
  concepts: readonly Concept[],
  encoder: TextEncoder,
  templates: readonly string[],
): Tensor {
  const names = concepts.map(({ name }) => name);
  const sentences = concepts.flatMap(({ descriptions }) => descriptions);
  const classOf = concepts.flatMap(({ descriptions }, index) => descriptions.map(() => index));
  return scope(() => {
    const byName = encoder.classVectors(names, templates);
    if (sentences.length === 0) return byName;
    // The row of a class without descriptions is 0, so that its name alone remains.
    return nn.functional.normalize(byName.add(meanByClass(encoder.encode(sentences), classOf, names.length)));
  });
}

/** Ways to replace the meaning of a space by none, as controls: what is gained with them is not gained from language. */
export const CONTROLS = ['random', 'orthogonal', 'shuffled'] as const;
export type Control = (typeof CONTROLS)[number];

/**
 * A space of the same size without the meaning: `random` directions; `orthogonal` ones, as far as there are dimensions
 * for them (beyond, blocks of orthogonal ones); `shuffled` keeps the vectors and mixes up which descriptions belong to
 * which class.
 */
export function controlSpace(space: ConceptSpace, control: Control, seed: number): ConceptSpace {
  return scope(() => {
    if (control === 'shuffled') return shuffled(space, seed);
    const draw = control === 'random' ? randomDirections : orthogonalDirections;
    const [rows, width] = space.category.shape as [number, number];
    const descriptions = space.descriptions && draw(space.descriptions.shape[0]!, width, seed + 1);
    return {
      ...space,
      category: draw(rows, width, seed),
      descriptions,
      description: descriptions && meanByClass(descriptions, space.classOf, rows),
    };
  });
}

/** `[rows, width]`, each row of length 1 and uniform on the sphere. */
export function randomDirections(rows: number, width: number, seed: number): Tensor {
  const random = randomStream(seed, 'concept-space');
  const values = Float32Array.from({ length: rows * width }, () => random.normal());
  return scope(() => nn.functional.normalize(tensor(values, { shape: [rows, width] })));
}

/** `[rows, width]`, each row of length 1; every `width` consecutive rows are orthogonal to each other. */
export function orthogonalDirections(rows: number, width: number, seed: number): Tensor {
  return scope(() => {
    const blocks = Math.ceil(rows / width);
    const drawn = randomDirections(blocks * width, width, seed).view([blocks, width, width]);
    const [q] = linalgQr(drawn);
    return q
      .reshape([blocks * width, width])
      .narrow(0, 0, rows)
      .clone();
  });
}

function shuffled(space: ConceptSpace, seed: number): ConceptSpace {
  const { names, description, category, descriptions } = space;
  const order = randomStream(seed, 'concept-shuffle').permutation(names.length);
  const classOf = space.classOf.map((index) => order[index]!);
  return {
    ...space,
    category: category.clone(),
    descriptions: descriptions?.clone() ?? null,
    classOf,
    description: description && descriptions && meanByClass(descriptions, classOf, names.length),
  };
}

/** Normalised means of the rows of each class. */
function meanByClass(rows: Tensor, classOf: readonly number[], classes: number): Tensor {
  const membership = new Float32Array(classes * classOf.length);
  for (const [row, index] of classOf.entries()) membership[index * classOf.length + row] = 1;
  return nn.functional.normalize(tensor(membership, { shape: [classes, classOf.length] }).matmul(rows));
}

function descriptionMissing(without: readonly Concept[], all: readonly Concept[]): ChronotopeError {
  const shown = without.slice(0, 5).map(({ name }) => `"${name}"`);
  return new ChronotopeError(
    'description-missing',
    `${without.length} of ${all.length} classes have no description: ${shown.join(', ')}${without.length > 5 ? ', …' : ''}`,
    {
      hint: 'Describe every class, or none: without a description an axis of that space would be missing.',
      details: { classes: without.map(({ name }) => name) },
    },
  );
}
