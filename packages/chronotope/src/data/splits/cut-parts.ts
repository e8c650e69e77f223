import { ChronotopeError } from '../../errors.js';
import { randomStream } from '../../random.js';
import { groupBy } from '../group-by.js';
import { classesOf, type ManifestEntry } from '../manifest.js';

/** Which parts to cut off; see {@link cutParts}. */
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
  const partOf = dealGroups(groupsOf(labelled), shares, seed);
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
  /** How many videos of a class it has, for the classes of which it has any. */
  counts: { label: string; count: number }[];
}

function groupsOf(entries: readonly ManifestEntry[]): Group[] {
  const groups = [...groupBy(entries, groupOf)].map(([name, videos]) => ({
    name,
    size: videos.length,
    counts: [...groupBy(videos, ({ label }) => label!)].map(([label, same]) => ({ label, count: same.length })),
  }));
  return groups.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function dealGroups(groups: readonly Group[], shares: Record<Part, number>, seed: number): Map<string, Part> {
  const parts = (['train', 'validation', 'test'] as const).filter((part) => shares[part] > 0);
  const total = new Map<string, number>();
  for (const { label, count } of groups.flatMap(({ counts }) => counts)) {
    total.set(label, (total.get(label) ?? 0) + count);
  }
  const dealt = new Map(parts.map((part) => [part, new Map<string, number>()]));
  /** How much nearer a group brings a part to its shares, in shares of each class: small classes count like large ones. */
  const gain = (part: Part, { counts }: Group): number =>
    counts.reduce((sum, { label, count }) => {
      const wanted = shares[part] * total.get(label)!;
      const before = (dealt.get(part)!.get(label) ?? 0) - wanted;
      const after = before + count;
      return sum + (before * before - after * after) / (total.get(label)! * wanted);
    }, 0);

  const shuffled = randomStream(seed, 'cut')
    .permutation(groups.length)
    .map((position) => groups[position]!);
  const partOf = new Map<string, Part>();
  for (const group of shuffled.sort((a, b) => b.size - a.size)) {
    const best = parts.reduce((chosen, part) => (gain(part, group) > gain(chosen, group) ? part : chosen));
    partOf.set(group.name, best);
    const have = dealt.get(best)!;
    for (const { label, count } of group.counts) have.set(label, (have.get(label) ?? 0) + count);
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
