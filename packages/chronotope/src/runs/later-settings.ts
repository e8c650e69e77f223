import { isDeepStrictEqual } from 'node:util';
import { isMapping } from '../mapping.js';
import type { Recipe } from '../recipes/schemas.js';

/** A setting that recipes of earlier versions did not have. */
interface LaterSetting {
  /** Dotted; `*` stands for every name. */
  key: string;
  /** The value that means what those versions did. */
  before: unknown;
}

/** The list only grows: leaving a setting out of it would give the runs of earlier versions other fingerprints. */
const LATER: Partial<Record<Recipe['method'], readonly LaterSetting[]>> = {
  timebalance: [
    { key: 'pretrain.invariant.weights', before: { instance: 1, localLocal: 0, globalLocal: 0 } },
    { key: 'pretrain.distinctive.weights', before: { instance: 0, localLocal: 1, globalLocal: 1 } },
    { key: 'pretrain.student.weights', before: { instance: 1, localLocal: 1, globalLocal: 1 } },
    { key: 'pretrain.*.from', before: null },
    { key: 'pretrain.*.fromChannels', before: 'auto' },
    { key: 'supervised.balanced', before: false },
    { key: 'teacher.balanced', before: false },
    { key: 'student.balanced', before: false },
    { key: 'training.optimizer', before: { name: 'adam', momentum: 0.9 } },
  ],
};

/** A recipe as an earlier version would have had it: without the settings that came later, where they change nothing. */
export function withoutLaterSettings(recipe: Recipe): object {
  return (LATER[recipe.method] ?? []).reduce<object>(
    (settings, { key, before }) => without(settings, key.split('.'), before),
    recipe,
  );
}

function without(group: object, [first, ...rest]: readonly string[], before: unknown): object {
  const kept = Object.entries(group).flatMap(([name, value]) => {
    if (name !== first && first !== '*') return [[name, value]];
    if (rest.length > 0) return [[name, isMapping(value) ? without(value, rest, before) : value]];
    return isDeepStrictEqual(value, before) ? [] : [[name, value]];
  });
  return Object.fromEntries(kept);
}
