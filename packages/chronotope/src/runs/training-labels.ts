import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import type { RunData } from './run-data.js';

/**
 * Whose labels the training videos of an evaluation have: `all` that the data folder has (how representations are
 * compared in papers), or those that were `known` in each label draw.
 */
export const LABEL_CHOICES = ['all', 'known'] as const;
export type LabelChoice = (typeof LABEL_CHOICES)[number];

/** Class numbers of labelled training videos, by id. */
export type Labels = ReadonlyMap<string, number>;

/** The labels of the training videos: one set, or one for each label draw. */
export function labelSets(data: RunData, choice: LabelChoice, classes: readonly string[]): Labels[] {
  const all = Object.fromEntries(data.train.flatMap(({ id, label }) => (label === null ? [] : [[id, label]])));
  const sets: Record<string, string>[] = choice === 'all' ? [all] : data.labels;
  return sets.map((set) => new Map(Object.entries(set).map(([id, label]) => [id, classes.indexOf(label)])));
}

/**
 * The training videos that some set has a label for.
 *
 * @throws ChronotopeError `no-labels` if there is none
 */
export function labelledEntries(data: RunData, sets: readonly Labels[]): ManifestEntry[] {
  const entries = data.train.filter(({ id }) => sets.some((set) => set.has(id)));
  if (entries.length > 0) return entries;
  throw new ChronotopeError('no-labels', 'the training part has no labelled videos to compare with', {
    hint: 'Label some training videos: one folder a class.',
  });
}
