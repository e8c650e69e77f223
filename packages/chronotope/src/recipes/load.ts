import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LineCounter, parseDocument, stringify } from 'yaml';
import { ChronotopeError } from '../errors.js';
import { type TimeBalanceRecipe, timebalanceRecipe } from './timebalance.js';

const SHIPPED = fileURLToPath(new URL('../../recipes/', import.meta.url));

/** Names of the recipes that come with the program. */
export function shippedRecipes(): string[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/**
 * Reads a recipe and applies overrides.
 *
 * @param nameOrFile a shipped recipe's name, or a YAML file
 * @param overrides `key=value` with a dotted key, the value in YAML, such as `student.steps=400`
 * @throws ChronotopeError `recipe-missing`, `recipe-invalid` (naming the key or line), `override-invalid`
 */
export function loadRecipe(nameOrFile: string, overrides: readonly string[] = []): TimeBalanceRecipe {
  const file = shippedRecipes().includes(nameOrFile) ? `${SHIPPED}${nameOrFile}.yaml` : nameOrFile;
  const settings = readYaml(file);
  for (const override of overrides) applyOverride(settings, override);
  const parsed = timebalanceRecipe.safeParse(settings);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || '(top)'}: ${issue.message}`);
  throw new ChronotopeError('recipe-invalid', `${nameOrFile} is not a valid recipe:\n${problems.join('\n')}`, {
    hint: 'Compare with the recipe.yaml of a run folder: it lists every key.',
  });
}

/** A recipe as YAML. */
export function formatRecipe(recipe: TimeBalanceRecipe): string {
  return stringify(recipe, { flowCollectionPadding: false });
}

function readYaml(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ChronotopeError('recipe-missing', `no recipe "${file}"`, {
      hint: `Give a YAML file or one of: ${shippedRecipes().join(', ')}.`,
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

function applyOverride(settings: Record<string, unknown>, override: string): void {
  const separator = override.indexOf('=');
  const keys = override.slice(0, separator).split('.');
  const last = keys.pop();
  const target = keys.reduce<unknown>((node, key) => (isMapping(node) ? node[key] : undefined), settings);
  if (separator < 1 || !isMapping(target) || last === undefined || !(last in target)) {
    const known = isMapping(target) ? Object.keys(target) : Object.keys(settings);
    throw new ChronotopeError('override-invalid', `--set ${override}: no such setting`, {
      hint: `Write --set key=value with a dotted key; here the keys are ${known.join(', ')}.`,
    });
  }
  target[last] = parseDocument(override.slice(separator + 1)).toJS();
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
