import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineCounter, parseDocument } from 'yaml';
import { ChronotopeError } from '../errors.js';
import { isMapping } from '../mapping.js';
import { didYouMean } from './nearest.js';
import { capitalised } from './settings.js';

const SHIPPED = fileURLToPath(new URL('../../recipes/', import.meta.url));

/** Names of the recipes that come with the program. */
export function shippedNames(): string[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/** The file of a shipped recipe. */
export function shippedFile(name: string): string {
  return `${SHIPPED}${name}.yaml`;
}

/**
 * The settings of a recipe as they are written, unchecked. `extends: <name or file>` takes over those of another recipe,
 * and what stands beside it changes them, at any depth; lists are replaced.
 *
 * @param nameOrFile a shipped recipe's name, or a YAML file
 * @throws ChronotopeError `recipe-missing`, `recipe-invalid` (naming the line)
 */
export function readRecipe(nameOrFile: string): Record<string, unknown> {
  return readWithBase(nameOrFile, []);
}

/** @param below the recipes that extend this one, to find circles */
function readWithBase(nameOrFile: string, below: readonly string[]): Record<string, unknown> {
  const isShipped = shippedNames().includes(nameOrFile);
  const file = isShipped ? shippedFile(nameOrFile) : path.resolve(nameOrFile);
  if (below.includes(file)) {
    throw new ChronotopeError('recipe-invalid', `${nameOrFile}: recipes extend each other in a circle`, {
      hint: 'One of them must do without "extends".',
    });
  }
  const { extends: base, ...own } = readYaml(isShipped ? file : nameOrFile);
  if (base === undefined) return own;
  if (typeof base !== 'string') {
    throw new ChronotopeError('recipe-invalid', `${nameOrFile}: extends: expected the name or file of one recipe`, {
      hint: `Such as "extends: timebalance-small".`,
    });
  }
  // A recipe is a name unless it looks like a file.
  const named = /\.ya?ml$/.test(base) ? path.resolve(path.dirname(file), base) : base;
  return merged(readWithBase(named, [...below, file]), own);
}

function merged(base: Record<string, unknown>, own: Record<string, unknown>): Record<string, unknown> {
  const changes = Object.entries(own).map(([key, value]) => {
    const before = base[key];
    return [key, isMapping(before) && isMapping(value) ? merged(before, value) : value];
  });
  return { ...base, ...Object.fromEntries(changes) };
}

function readYaml(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const meant = capitalised(didYouMean(file, shippedNames()));
    throw new ChronotopeError('recipe-missing', `no recipe "${file}"`, {
      hint: meant ?? `Give a YAML file or one of: ${shippedNames().join(', ')}.`,
      cause,
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const problem = document.errors[0];
  if (problem) {
    throw new ChronotopeError(
      'recipe-invalid',
      `${file}, line ${lines.linePos(problem.pos[0]).line}: ${problem.message}`,
      {
        hint: 'A recipe is a YAML mapping of settings.',
        cause: problem,
      },
    );
  }
  const content: unknown = document.toJS();
  if (!isMapping(content)) {
    throw new ChronotopeError('recipe-invalid', `${file}: expected a YAML mapping of settings`, {
      hint: 'Compare with the recipe.yaml of a run folder: it lists every key.',
    });
  }
  // Keys with a leading dot hold anchors that the settings below share.
  const own = Object.entries(content).filter(([key]) => !key.startsWith('.'));
  // Through JSON, so that settings which share an anchor do not share an object: overrides change them in place.
  return JSON.parse(JSON.stringify(Object.fromEntries(own))) as Record<string, unknown>;
}
