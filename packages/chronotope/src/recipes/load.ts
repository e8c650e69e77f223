import { readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, parseDocument, stringify } from 'yaml';
import type { ZodError } from 'zod';
import { ChronotopeError } from '../errors.js';
import { isMapping } from '../mapping.js';
import { didYouMean } from './nearest.js';
import { readRecipe, shippedFile, shippedNames } from './recipe-file.js';
import {
  METHOD_NAMES,
  type MethodName,
  RECIPE_SCHEMAS,
  type Recipe,
  type RecipeOf,
  type VideoRecipe,
} from './schemas.js';
import { allSettings, capitalised, keysNear } from './settings.js';
import { insteadOf } from './training.js';

type ZodIssue = ZodError['issues'][number];

/** Names of the recipes that come with the program: all, or those of a method. */
export function shippedRecipes(method?: MethodName): string[] {
  const names = shippedNames();
  return method === undefined ? names : names.filter((name) => readRecipe(name).method === method);
}

/** What a shipped recipe is for: the first comment of its file, on one line. */
export function purposeOf(name: string): string {
  const lines = readFileSync(shippedFile(name), 'utf8').split('\n');
  const first = lines.findIndex((line) => !line.startsWith('#'));
  return lines
    .slice(0, first)
    .map((line) => line.replace(/^# ?/, ''))
    .join(' ');
}

/**
 * Reads a recipe of any method and applies overrides.
 *
 * @param nameOrFile a shipped recipe's name, or a YAML file
 * @param overrides `key=value` with a dotted key, the value in YAML, such as `student.steps=400`
 * @throws ChronotopeError `recipe-missing`, `recipe-invalid` (naming the key or line), `override-invalid`
 */
export function loadRecipe(nameOrFile: string, overrides: readonly string[] = []): Recipe {
  const settings = readRecipe(nameOrFile);
  const method = methodOf(settings, nameOrFile);
  for (const override of overrides) applyOverride(settings, override, method);
  const parsed = RECIPE_SCHEMAS[method].safeParse(settings, { reportInput: true });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `  ${issue.path.join('.') || '(top)'}: ${describeIssue(issue, method)}`,
  );
  throw new ChronotopeError('recipe-invalid', `${nameOrFile} is not a valid recipe:\n${problems.join('\n')}`, {
    hint: `chronotope recipe explain <key> --method ${method} says which values a setting takes.`,
  });
}

/**
 * Reads a recipe that must be one of a certain method; otherwise as {@link loadRecipe}.
 *
 * @throws ChronotopeError `recipe-of-other-method`, and those of {@link loadRecipe}
 */
export function loadRecipeOf<M extends MethodName>(
  method: M,
  nameOrFile: string,
  overrides: readonly string[] = [],
): RecipeOf<M> {
  const recipe = loadRecipe(nameOrFile, overrides);
  if (recipe.method !== method) {
    throw new ChronotopeError(
      'recipe-of-other-method',
      `${nameOrFile} is a recipe of ${recipe.method}, and this is for ${method}`,
      { hint: `Recipes of ${method} are ${shippedRecipes(method).join(', ')}, or your own with "method: ${method}".` },
    );
  }
  return recipe as RecipeOf<M>;
}

/**
 * Reads a recipe of a method that learns from videos; otherwise as {@link loadRecipe}.
 *
 * @throws ChronotopeError `recipe-without-videos`, and those of {@link loadRecipe}
 */
export function loadVideoRecipe(nameOrFile: string, overrides: readonly string[] = []): VideoRecipe {
  const recipe = loadRecipe(nameOrFile, overrides);
  if (recipe.method !== 'tracker') return recipe;
  throw new ChronotopeError('recipe-without-videos', `${nameOrFile} is a recipe of tracker, which decodes no videos`, {
    hint: 'Give a recipe of a method that learns from videos: chronotope recipe list.',
  });
}

/** A recipe as YAML. */
export function formatRecipe(recipe: Recipe): string {
  return stringify(recipe, { flowCollectionPadding: false });
}

/** A recipe as YAML with the meaning of every setting beside or above it: a start for one's own. */
export function annotateRecipe(recipe: Recipe): string {
  const document = parseDocument(formatRecipe(recipe));
  const meanings = new Map(allSettings(recipe.method).map((setting) => [setting.key, setting.description]));
  const annotate = (node: unknown, prefix: string): void => {
    if (!isMap(node)) return;
    for (const pair of node.items) {
      if (!isScalar(pair.key)) continue;
      const key = `${prefix}${pair.key.value}`;
      // Names that a recipe chooses itself, such as those of further students, have no meaning of their own.
      const meaning = meanings.get(key);
      if (meaning !== undefined) pair.key.commentBefore = ` ${meaning}`;
      if (isSeq(pair.value)) pair.value.flow = true;
      annotate(pair.value, `${key}.`);
    }
  };
  annotate(document.contents, '');
  return document.toString({ flowCollectionPadding: false, lineWidth: 0 });
}

/** What is wrong in zod's words, which lack that a setting is missing, which key was meant and why a name won't do. */
function describeIssue(issue: ZodIssue, method: MethodName): string {
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => message).join(', ');
  if (issue.code !== 'unrecognized_keys') return issue.input === undefined ? 'is missing' : issue.message;
  const prefix = issue.path.length === 0 ? '' : `${issue.path.join('.')}.`;
  const here = keysNear(prefix, method)
    .filter((key) => key.startsWith(prefix) && !key.slice(prefix.length).includes('.'))
    .map((key) => key.slice(prefix.length));
  const describe = (key: string) =>
    [`no setting "${key}"`, insteadOf(method, `${prefix}${key}`) ?? didYouMean(key, here)].filter(Boolean).join('; ');
  return issue.keys.map(describe).join(', ');
}

/** Whose recipe it is; its other keys cannot be understood without that. */
function methodOf({ method }: Record<string, unknown>, nameOrFile: string): MethodName {
  const found = METHOD_NAMES.find((name) => name === method);
  if (found) return found;
  const problem = method === undefined ? 'is missing' : `"${String(method)}" is none that is known`;
  throw new ChronotopeError('recipe-invalid', `${nameOrFile} is not a valid recipe:\n  method: ${problem}`, {
    hint: capitalised(didYouMean(String(method), METHOD_NAMES)) ?? `Methods are ${METHOD_NAMES.join(', ')}.`,
  });
}

function applyOverride(settings: Record<string, unknown>, override: string, method: MethodName): void {
  const separator = override.indexOf('=');
  if (separator < 1) {
    throw new ChronotopeError('override-invalid', `--set ${override}: there is no value`, {
      hint: 'Write --set key=value, such as --set student.steps=400.',
    });
  }
  const key = override.slice(0, separator);
  const path = key.split('.');
  const last = path.pop()!;
  const keys = keysNear(key, method);
  const isKnown = keys.includes(key);
  const group = path.reduce<unknown>((node, part) => {
    if (!isMapping(node)) return undefined;
    if (isKnown) node[part] ??= {};
    return node[part];
  }, settings);
  if (!isMapping(group) || !(last in group || isKnown)) {
    const beside = isMapping(group) ? Object.keys(group) : Object.keys(settings);
    const meant = insteadOf(method, key) ?? didYouMean(key, keys);
    throw new ChronotopeError('override-invalid', `--set ${override}: no setting "${key}"`, {
      hint: capitalised(meant) ?? `Keys here are ${beside.join(', ')}.`,
    });
  }
  group[last] = parseDocument(override.slice(separator + 1)).toJS();
}
