import { ChronotopeError } from '../errors.js';
import { randomStream } from '../random.js';
import { groupBy } from './group-by.js';
import { classesOf, type ManifestEntry } from './manifest.js';

/** How many labels to keep in each class. */
export type LabelBudget =
  /** The same number in every class. */
  | { perClass: number }
  /** This share of each class, above 0 and up to 100; rounded, and at least one video. */
  | { percent: number };

/** How many labels to draw, and how. */
export type LabelDraw = LabelBudget & {
  seed: number;
  /** Number of the draw: other draws of the same seed are independent. Default 0. */
  draw?: number;
  /**
   * Whether groups (persons, source videos) matter. `ignore`: every video of a class is as likely as every other, as in
   * the published protocols. `spread`: no second video of a group before all groups of the class have one, which shows
   * an annotator more with the same effort. Either way a group may have labelled and unlabelled videos, since both are
   * for training. Default `ignore`.
   */
  groups?: 'ignore' | 'spread';
};

/**
 * Keeps the labels of some training videos in each class, drawn at random, and makes all other training videos
 * unlabelled. Videos of the other parts are left as they are.
 *
 * Draws are nested: with the same seed and draw, the labelled videos of a smaller budget are among those of a larger
 * one, whether the budget is a number or a percentage. The result depends on the ids, labels and groups alone, not on
 * the order of the entries.
 *
 * @throws ChronotopeError `too-few-labels` when a class has fewer labelled videos than asked for; `bad-label-budget`
 *   unless `perClass` is a positive integer or `percent` is above 0 and at most 100
 */
export function drawLabels(entries: readonly ManifestEntry[], options: LabelDraw): ManifestEntry[] {
  const { seed, draw = 0, groups = 'ignore' } = options;
  checkBudget(options);
  const labelled = entries.filter((entry) => entry.split === 'train' && entry.label !== null);
  const ofClass = groupBy(labelled, ({ label }) => label!);
  const kept = new Set<string>();
  for (const [index, name] of classesOf(labelled).entries()) {
    const videos = ofClass.get(name)!.sort((a, b) => (a.id < b.id ? -1 : 1));
    const wanted = labelsWanted(options, name, videos.length);
    const drawn = randomStream(seed, 'labels', draw, index)
      .permutation(videos.length)
      .map((position) => videos[position]!);
    for (const { id } of (groups === 'spread' ? spreadOverGroups(drawn) : drawn).slice(0, wanted)) {
      kept.add(id);
    }
  }
  return keepLabels(entries, kept);
}

function checkBudget(budget: LabelBudget): void {
  const valid =
    'perClass' in budget
      ? Number.isInteger(budget.perClass) && budget.perClass >= 1
      : budget.percent > 0 && budget.percent <= 100;
  if (!valid) {
    const asked =
      'perClass' in budget ? `${budget.perClass} labelled videos a class` : `${budget.percent} % of the labels`;
    throw new ChronotopeError('bad-label-budget', `${asked}: expected a positive integer, or a percentage up to 100`, {
      hint: 'Ask for 1 or more labels a class, or for a percentage above 0 and up to 100.',
    });
  }
}

function labelsWanted(budget: LabelBudget, name: string, available: number): number {
  if ('percent' in budget) {
    return Math.max(1, Math.round((available * budget.percent) / 100));
  }
  if (available < budget.perClass) {
    throw new ChronotopeError(
      'too-few-labels',
      `class "${name}" has ${available} labelled training video${available === 1 ? '' : 's'}, ${budget.perClass} were asked for`,
      {
        hint: 'Ask for fewer labels a class, or add videos.',
        details: { class: name, available, perClass: budget.perClass },
      },
    );
  }
  return budget.perClass;
}

/** First the first video of every group in the order drawn, then the second ones, and so on. */
function spreadOverGroups(drawn: readonly ManifestEntry[]): ManifestEntry[] {
  const seen = new Map<string, number>();
  const ranked = drawn.map((entry) => {
    const group = entry.group ?? entry.id;
    const rank = seen.get(group) ?? 0;
    seen.set(group, rank + 1);
    return { entry, rank };
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ entry }) => entry);
}

/**
 * Checks that every class has a labelled training video.
 *
 * @throws ChronotopeError `class-without-labels`, naming the classes
 */
export function requireLabelInEveryClass(entries: readonly ManifestEntry[], classes: readonly string[]): void {
  const labelled = new Set(classesOf(entries.filter((entry) => entry.split === 'train')));
  const missing = classes.filter((name) => !labelled.has(name));
  if (missing.length > 0) {
    const names = missing.map((name) => `"${name}"`).join(', ');
    throw new ChronotopeError('class-without-labels', `no labelled training video of class ${names}`, {
      hint: 'Label at least one video of every class, or leave the class out.',
      details: { classes: missing },
    });
  }
}

function keepLabels(entries: readonly ManifestEntry[], kept: ReadonlySet<string>): ManifestEntry[] {
  return entries.map((entry) => (entry.split === 'train' && !kept.has(entry.id) ? { ...entry, label: null } : entry));
}
