import { basename } from 'node:path';
import { ChronotopeError } from '../../errors.js';
import { drawLabels, type LabelBudget } from '../label-split.js';
import { classesOf, type ManifestEntry, SPLITS, type Split } from '../manifest.js';
import { cutParts } from './cut-parts.js';
import { type DatasetSplit, type SplitStep, splitOf } from './dataset-split.js';
import { type LabelLists, splitFromLists } from './label-lists.js';

/** What {@link makeSplit} should do: cut parts off, draw labels, or take both from lists. */
export interface SplitRequest {
  /** Default: what was done, such as `test 0.2, 5 per class, seed 0`. */
  name?: string;
  seed: number;
  /** Shares of the labelled training videos to cut off first; see {@link cutParts}. */
  validation?: number;
  test?: number;
  /** Labels to keep in the training part; see {@link drawLabels}. Default: all. */
  labels?: LabelBudget;
  /** Number of the label draw. Default 0. */
  draw?: number;
  /** How label draws treat groups. Default `ignore`. */
  groups?: 'ignore' | 'spread';
  /** Take parts and labels from published lists; excludes cutting and drawing. */
  lists?: LabelLists;
}

/** A split, and remarks on how it was made, for people. */
export interface MadeSplit {
  split: DatasetSplit;
  notes: string[];
}

/**
 * Cuts parts off a data set, draws labels in what is left for training, or does both in this order; or takes both from
 * lists. With nothing to do it records the parts that the data set has, such as the official ones.
 *
 * @throws ChronotopeError `no-split-asked` when there is nothing to do and the data set has a training part only, `split-conflict` when lists are to be
 *   combined with drawing; and what {@link cutParts}, {@link drawLabels} and {@link splitFromLists} throw
 */
export function makeSplit(entries: readonly ManifestEntry[], request: SplitRequest): MadeSplit {
  const { lists, validation, test, labels } = request;
  const draws = validation !== undefined || test !== undefined || labels !== undefined;
  if (lists !== undefined) {
    if (draws) {
      throw new ChronotopeError('split-conflict', 'lists say everything: there is nothing left to cut or draw', {
        hint: 'Give lists, or shares and numbers of labels.',
      });
    }
    return fromLists(entries, lists, request.name ?? basename(lists.labelled));
  }
  if (!draws && entries.every(({ split }) => split === 'train')) {
    throw new ChronotopeError('no-split-asked', 'neither parts to cut nor labels to draw', {
      hint: 'Give --test, --validation, --per-class, --percent or --labelled.',
    });
  }
  return drawn(entries, request);
}

/** How many videos each part has. */
export interface PartSize {
  part: Split;
  labelled: number;
  unlabelled: number;
  classes: number;
}

/** Sizes of the parts that are not empty. */
export function partSizes(entries: readonly ManifestEntry[]): PartSize[] {
  return SPLITS.flatMap((part) => {
    const videos = entries.filter(({ split }) => split === part);
    const labelled = videos.filter(({ label }) => label !== null).length;
    const unlabelled = videos.length - labelled;
    return videos.length === 0 ? [] : [{ part, labelled, unlabelled, classes: classesOf(videos).length }];
  });
}

function fromLists(entries: readonly ManifestEntry[], lists: LabelLists, name: string): MadeSplit {
  const { split, missing, notes } = splitFromLists(entries, lists, name);
  const remarks = [...notes];
  if (missing.count > 0) {
    remarks.unshift(`${missing.count} listed videos are not in the data set, for example ${missing.first[0]}`);
  }
  const known = new Set(split.items.flatMap(({ part, label }) => (part === 'train' && label !== null ? [label] : [])));
  const unlabelled = classesOf(entries).filter((name) => !known.has(name));
  if (unlabelled.length > 0) {
    remarks.push(`no labelled training video of class ${unlabelled.map((name) => `"${name}"`).join(', ')}`);
  }
  return { split, notes: remarks };
}

function drawn(entries: readonly ManifestEntry[], request: SplitRequest): MadeSplit {
  const { seed, validation, test, labels, draw = 0, groups = 'ignore' } = request;
  const steps: SplitStep[] = [];
  const words: string[] = [];
  let result = [...entries];
  if (validation !== undefined || test !== undefined) {
    result = cutParts(result, { validation, test, seed });
    steps.push({ rule: 'cut', validation: validation ?? 0, test: test ?? 0, seed });
    if (validation !== undefined) words.push(`validation ${validation}`);
    if (test !== undefined) words.push(`test ${test}`);
  }
  if (labels !== undefined) {
    result = drawLabels(result, { ...labels, seed, draw, groups });
    steps.push({ rule: 'draw', ...labels, seed, draw, groups });
    words.push('perClass' in labels ? `${labels.perClass} per class` : `${labels.percent} %`);
    if (draw > 0) words.push(`draw ${draw}`);
  }
  if (steps.length === 0) {
    steps.push({ rule: 'as-listed' });
  }
  const name = request.name ?? (words.length === 0 ? 'as listed' : [...words, `seed ${seed}`].join(', '));
  return { split: splitOf(result, { name, steps, list: entries }), notes: [] };
}
