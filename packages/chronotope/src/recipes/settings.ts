import { z } from 'zod';
import { ChronotopeError } from '../errors.js';
import { didYouMean } from './nearest.js';
import { type MethodName, RECIPE_SCHEMAS } from './schemas.js';

/** One setting of a recipe, or a group of them. */
export interface Setting {
  /** Dotted, such as `student.steps`. */
  key: string;
  /** What it means, in a line. */
  description: string;
  /** Which values it takes, in words. Absent for groups. */
  values?: string;
}

/** The parts of a JSON schema that recipes use. */
interface Schema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  /** What a mapping holds under names that a recipe chooses itself. */
  additionalProperties?: Schema | false;
  items?: Schema | false;
  prefixItems?: Schema[];
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  default?: unknown;
}

/** Every setting of a method's recipes and every group, each group before what it holds. */
export function allSettings(method: MethodName): Setting[] {
  return settingsOf(schemaOf(method), '');
}

/**
 * The keys that a dotted key can be meant to be one of: those of all settings and groups, and where it goes through a name
 * that recipes choose themselves, such as that of a further student, also those below that name.
 */
export function keysNear(key: string, method: MethodName): string[] {
  return settingsOf(schemaOf(method), '', key).map((setting) => setting.key);
}

const schemaOf = (method: MethodName): Schema => z.toJSONSchema(RECIPE_SCHEMAS[method], { io: 'input' }) as Schema;

/**
 * What a key means.
 *
 * @param key dotted, through names that a recipe chooses itself too; the last part alone is enough where only one setting
 *   ends in it
 * @returns the setting, followed by what it holds if it is a group
 * @throws ChronotopeError `setting-unknown` with the keys that may have been meant
 */
export function explainSetting(key: string, method: MethodName): Setting[] {
  const settings = settingsOf(schemaOf(method), '', key);
  const meant = settings.filter((setting) => setting.key === key || setting.key.endsWith(`.${key}`));
  const exact = meant.find((setting) => setting.key === key) ?? (meant.length === 1 ? meant[0] : undefined);
  if (exact) return settings.filter(({ key: own }) => own === exact.key || own.startsWith(`${exact.key}.`));
  const keys = settings.map((setting) => setting.key);
  const hint =
    meant.length > 1
      ? `There are several: ${meant.map((setting) => setting.key).join(', ')}.`
      : (capitalised(didYouMean(key, keys)) ?? `chronotope recipe explain --method ${method} lists them all.`);
  throw new ChronotopeError('setting-unknown', `recipes of ${method} have no setting "${key}"`, { hint });
}

/** A sentence with its first letter large. */
export function capitalised(sentence: string | undefined): string | undefined {
  return sentence && sentence[0]!.toUpperCase() + sentence.slice(1);
}

/** @param path a dotted key, whose names in mappings are taken as given */
function settingsOf(schema: Schema, prefix: string, path = ''): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const key = `${prefix}${name}`;
    const { description = '' } = part;
    if (part.properties) return [{ key, description }, ...settingsOf(part, `${key}.`, path)];
    const given = part.default === undefined ? '' : `; ${JSON.stringify(part.default)} if not given`;
    const setting = { key, description, values: `${valuesOf(part)}${given}` };
    return [setting, ...namedSettings(part, `${key}.`, path)];
  });
}

/** What a mapping holds under the name that `path` has there. */
function namedSettings({ additionalProperties: named }: Schema, prefix: string, path: string): Setting[] {
  if (!named || !path.startsWith(prefix)) return [];
  const key = `${prefix}${path.slice(prefix.length).split('.')[0]}`;
  return [{ key, description: named.description ?? '' }, ...settingsOf(named, `${key}.`, path)];
}

function valuesOf(schema: Schema): string {
  if (schema.const !== undefined) return String(schema.const);
  if (schema.enum) return schema.enum.join(' | ');
  if (schema.anyOf) return schema.anyOf.map(valuesOf).join(', or ');
  if (schema.prefixItems) {
    const { length, 0: first } = schema.prefixItems;
    return length === 2 ? '[low, high]' : `a list of ${length}: ${valuesOf(first ?? {})}`;
  }
  if (Array.isArray(schema.type)) return schema.type.join(', or ');
  if (schema.type === 'array') return `a list: ${valuesOf(schema.items || {})}`;
  if (schema.type === 'boolean') return 'true | false';
  if (schema.type === 'integer' || schema.type === 'number') return numberOf(schema);
  if (schema.type === 'object') return 'a mapping from names to settings';
  return schema.type ?? 'any value';
}

function numberOf({ type, minimum = Number.NEGATIVE_INFINITY, maximum = Number.MAX_VALUE, exclusiveMinimum }: Schema) {
  const kind = type === 'integer' ? 'whole number' : 'number';
  const isBounded = maximum < Number.MAX_SAFE_INTEGER;
  if (exclusiveMinimum !== undefined) return `${kind} above ${exclusiveMinimum}`;
  if (isBounded) return `${kind} from ${minimum} to ${maximum}`;
  return minimum > Number.MIN_SAFE_INTEGER ? `${kind}, ${minimum} or more` : kind;
}
