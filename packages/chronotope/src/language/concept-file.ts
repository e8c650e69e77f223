import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { ChronotopeError } from '../errors.js';
import { spokenName } from './class-names.js';

/** A concept: a class and sentences about what it looks like. */
export interface Concept {
  /** In words, see {@link spokenName}. */
  name: string;
  /** Possibly none. */
  descriptions: string[];
}

const SHIPPED = fileURLToPath(new URL('../../concepts/', import.meta.url));

/** Names of the lists that come with the program, such as `ucf101`. */
export function shippedConcepts(): string[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => basename(file, '.yaml'))
    .sort();
}

/**
 * Reads concepts: a list that comes with the program, or a file. YAML or JSON: a mapping of class names to lists of
 * descriptions (or to one description, or to nothing); or a list of names. Other files: one name a line. Several, joined
 * by `+`, are put together; a class that several of them have is taken from the first, so that no concept counts twice.
 *
 * @param source such as `ucf101`, `kinetics400+ucf101+hmdb51` or `./mine.yaml`
 * @throws ChronotopeError `concepts-missing` for no such file, `concepts-invalid` (naming class or line), `concepts-empty`,
 *   `concepts-repeated` for a class that one list has twice
 */
export function readConcepts(source: string): Concept[] {
  const found = new Map<string, Concept>();
  for (const part of source.split('+')) {
    for (const concept of readOne(part)) {
      if (!found.has(concept.name)) found.set(concept.name, concept);
    }
  }
  return [...found.values()];
}

/**
 * Concepts without descriptions.
 *
 * @throws ChronotopeError `concepts-empty`, `concepts-repeated`
 */
export function conceptsOfNames(names: readonly string[], source = 'the list of names'): Concept[] {
  return checked(
    source,
    names.map((name) => ({ name, descriptions: [] })),
  );
}

function readOne(source: string): Concept[] {
  const file = shippedConcepts().includes(source) ? `${SHIPPED}${source}.yaml` : source;
  const text = readText(file);
  if (['.yaml', '.yml', '.json'].includes(extname(file))) return checked(source, fromYaml(file, text));
  const names = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return conceptsOfNames(names, source);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    throw new ChronotopeError('concepts-missing', `no concepts "${file}": ${(cause as Error).message}`, {
      hint: `Give a file, or one of ${shippedConcepts().join(', ')}; several are joined by +.`,
      details: { file },
      cause,
    });
  }
}

/** JSON is YAML as well. */
function fromYaml(file: string, text: string): Concept[] {
  const document = parseDocument(text);
  const problem = document.errors[0];
  if (problem) throw invalid(file, problem.message);
  const content: unknown = document.toJS();
  if (content === null || content === undefined) return [];
  if (Array.isArray(content)) {
    return content.map((name) => {
      if (typeof name !== 'string') throw invalid(file, `expected a name, got ${JSON.stringify(name)}`);
      return { name, descriptions: [] };
    });
  }
  if (typeof content !== 'object') throw invalid(file, 'expected a mapping of class names to descriptions');
  return Object.entries(content).map(([name, value]) => ({ name, descriptions: descriptionsOf(file, name, value) }));
}

function descriptionsOf(file: string, name: string, value: unknown): string[] {
  if (value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item) => {
    if (typeof item === 'string' && item.trim() !== '') return item.trim();
    throw invalid(file, `a description of "${name}" is ${JSON.stringify(item)}, not a sentence`);
  });
}

function checked(source: string, concepts: readonly Concept[]): Concept[] {
  const spelled = new Map<string, string>();
  const result = concepts.map(({ name, descriptions }) => {
    const spoken = spokenName(name);
    if (spoken === '') throw invalid(source, 'a class has no name');
    const earlier = spelled.get(spoken);
    if (earlier !== undefined) throw repeated(source, earlier, name);
    spelled.set(spoken, name);
    return { name: spoken, descriptions };
  });
  if (result.length > 0) return result;
  throw new ChronotopeError('concepts-empty', `${source} has no concepts`, {
    hint: 'Write a class a line with its descriptions: docs/language.md shows the format.',
    details: { source },
  });
}

function repeated(source: string, earlier: string, name: string): ChronotopeError {
  const both = earlier === name ? `"${name}" twice` : `"${earlier}" and "${name}", which are the same in words`;
  return new ChronotopeError('concepts-repeated', `${source} has ${both}`, {
    hint: 'Keep one of them: a class that counts twice takes probability from all others.',
    details: { source, names: [earlier, name] },
  });
}

function invalid(file: string, problem: string): ChronotopeError {
  return new ChronotopeError('concepts-invalid', `${file}: ${problem}`, {
    hint: 'Expected a YAML or JSON mapping of class names to lists of descriptions: docs/language.md shows it.',
    details: { file },
  });
}
