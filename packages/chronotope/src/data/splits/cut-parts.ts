import { ChronotopeError } from '../../errors.js';
import { randomStream } from '../../random.js';
import { classesOf, type ManifestEntry } from '../manifest.js';

export interface Cut {
  /** Shares of the labelled training videos for the new parts, 0 to below 1. Default 0: no such part. */
  validation?: number;
  test?: number;
  seed: number;
}

type Part = 'train' | 'validation' | 'test';

/**
 * Cuts a validation part and a test part off the training part.
 *
 * All videos of a group go to the same part; a video without a group is one by itself. Each class comes as close to the
 * shares asked for as whole groups allow: groups are dealt in random order, large ones first, each to the part that it
 * brings nearest to its share, with every class weighed alike. Unlabelled videos stay in the training part unless their
 * group went elsewhere; then they are set aside (`unused`), because training on them would show it the group.
 *
 * The result depends on ids, labels, groups and the seed, not on the order of the entries.
 *
 * @throws ChronotopeError `bad-cut` for shares out of range, or when there is a part of that name already;
 *   `class-not-in-part` when a class would be without videos in a part
 */
export function cutParts(entries: readonly ManifestEntry[], { validation = 0, test = 0, seed }: Cut): ManifestEntry[] {
  const shares: Record<Part, number> = { train: 1 - validation - test, validation, test };
  checkCut(entries, shares);
  const labelled = entries.filter(({ split, label }) => split === 'train' && label !== null);
  const classes = classesOf(labelled);
  const partOf = dealGroups(groupsOf(labelled, classes), classes.length, shares, seed);
  const result = entries.map((entry) => {
    const part = entry.split === 'train' ? partOf.get(groupOf(entry)) : undefined;
    if (part === undefined || part === 'train') return entry;
    return { ...entry, split: entry.label === null ? ('unused' as const) : part };
  });
  checkClasses(result, classes, shares);
  return result;
}

/** The name of a video's group; videos without one are told apart from groups by a character no name begins with. */
function groupOf({ id, group }: ManifestEntry): string {
  return group === undefined ? `\0${id}` : group;
}

interface Group {
  name: string;
  size: number;
  /** Videos of each class. */
  counts: number[];
}

function groupsOf(entries: readonly ManifestEntry[], classes: readonly string[]): Group[] {
  const indexOf = new Map(classes.map((name, index) => [name, index]));
  const groups = new Map<string, Group>();
  for (const entry of entries) {
    const name = groupOf(entry);
    const group = groups.get(name) ?? { name, size: 0, counts: classes.map(() => 0) };
    group.size++;
    group.counts[indexOf.get(entry.label!)!]!++;
    groups.set(name, group);
  }
  return [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function dealGroups(
  groups: Group[],
  classCount: number,
  shares: Record<Part, number>,
  seed: number,
): Map<string, Part> {
  const totals = Array.from({ length: classCount }, (_, index) =>
    groups.reduce((sum, { counts }) => sum + counts[index]!, 0),
  );
  const parts = (['train', 'validation', 'test'] as const).filter((part) => shares[part] > 0);
  const dealt = new Map(parts.map((part) => [part, totals.map(() => 0)]));
  const shuffled = randomStream(seed, 'cut')
    .permutation(groups.length)
    .map((position) => groups[position]!);
  const partOf = new Map<string, Part>();
  for (const { name, counts } of shuffled.sort((a, b) => b.size - a.size)) {
    // What is lacking is measured in shares of the class, so that small classes count as much as large ones.
    const gain = (part: Part): number => {
      const have = dealt.get(part)!;
      return counts.reduce((sum, count, index) => {
        if (count === 0) return sum;
        const wanted = shares[part] * totals[index]!;
        const before = have[index]! - wanted;
        const after = before + count;
        return sum + (before * before - after * after) / (totals[index]! * wanted);
      }, 0);
    };
    const best = parts.reduce((chosen, part) => (gain(part) > gain(chosen) ? part : chosen));
    partOf.set(name, best);
    counts.forEach((count, index) => {
      dealt.get(best)![index]! += count;
    });
  }
  return partOf;
}

function checkCut(entries: readonly ManifestEntry[], shares: Record<Part, number>): void {
  const { train, validation, test } = shares;
  if (!(validation >= 0 && test >= 0 && validation + test > 0 && train > 0)) {
    throw new ChronotopeError('bad-cut', `shares of ${validation} for validation and ${test} for testing`, {
      hint: 'Give shares above 0 that leave something for training, such as 0.1 and 0.2.',
      details: { validation, test },
    });
  }
  for (const part of ['validation', 'test'] as const) {
    const existing = entries.filter(({ split }) => split === part).length;
    if (shares[part] > 0 && existing > 0) {
      throw new ChronotopeError('bad-cut', `the data set already has a ${part} part of ${existing} videos`, {
        hint: `Leave out --${part}, or make those videos training videos first.`,
        details: { part, existing },
      });
    }
  }
}

function checkClasses(
  entries: readonly ManifestEntry[],
  classes: readonly string[],
  shares: Record<Part, number>,
): void {
  for (const part of ['train', 'validation', 'test'] as const) {
    if (shares[part] === 0) continue;
    const there = new Set(classesOf(entries.filter(({ split }) => split === part)));
    const lacking = classes.filter((name) => !there.has(name));
    if (lacking.length > 0) {
      throw new ChronotopeError(
        'class-not-in-part',
        `no video of class ${lacking.map((name) => `"${name}"`).join(', ')} in the ${part} part`,
        {
          hint: 'A class needs at least one group for every part: ask for larger shares or fewer parts, or add videos.',
          details: { part, classes: lacking },
        },
      );
    }
  }
}
