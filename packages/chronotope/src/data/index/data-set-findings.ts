import type { DuplicateGroup } from './duplicates.js';
import { type Finding, Occurrences } from './findings.js';
import type { ClassCount, QuarantineReason } from './health.js';

/** What is known of a data set as a whole. */
export interface DataSetFacts {
  ignored: readonly string[];
  warnings: readonly string[];
  unlabelled: number;
  duplicates: readonly DuplicateGroup[];
  classes: readonly ClassCount[];
  quarantine: readonly QuarantineReason[];
  /** Groups (persons, scenes, recordings) with videos both for training and for testing. */
  splitGroups: readonly string[];
}

/** From here on the largest class is called much larger than the smallest. */
const UNBALANCED = 10;

type Rule = Omit<Finding, 'count' | 'examples'> & { find: (facts: DataSetFacts) => Iterable<string> | number };

/** What is looked for in a data set as a whole, most urgent first. */
const rules: readonly Rule[] = [
  {
    code: 'train-test-duplicates',
    severity: 'error',
    title: 'the same video in training and in testing',
    advice: 'Remove one side: test results are too good while the model has seen the answers.',
    find: ({ duplicates }) => duplicates.filter(({ acrossSplits }) => acrossSplits).map(describeGroup),
  },
  {
    code: 'group-in-both-splits',
    severity: 'error',
    title: 'group with videos in training and in testing',
    advice: 'Move all videos of a person, scene or recording to one side.',
    find: ({ splitGroups }) => splitGroups,
  },
  {
    code: 'conflicting-labels',
    severity: 'error',
    title: 'the same video with different labels',
    advice: 'Keep one label.',
    find: ({ duplicates }) => duplicates.filter(({ labelsDiffer }) => labelsDiffer).map(describeGroup),
  },
  {
    code: 'quarantined',
    severity: 'error',
    title: 'cannot be used and are left out',
    advice: 'See "Quarantine": each has its reason and what to do.',
    find: ({ quarantine }) => quarantine.reduce((sum, { count }) => sum + count, 0),
  },
  {
    code: 'class-without-training-videos',
    severity: 'error',
    title: 'class without a usable video for training',
    advice: 'Add labelled videos of it, or take its test videos out.',
    find: ({ classes }) => classes.filter(({ train }) => train === 0).map(({ name }) => name),
  },
  {
    code: 'class-without-test-videos',
    severity: 'warning',
    title: 'class that is never tested',
    advice: 'Add test videos of it: nothing will be known about how well it is recognised.',
    find: ({ classes }) =>
      classes.some(({ test }) => test > 0) ? classes.filter(({ test }) => test === 0).map(({ name }) => name) : [],
  },
  {
    code: 'unbalanced-classes',
    severity: 'warning',
    title: `smallest classes have under 1/${UNBALANCED} of the largest`,
    advice: 'Add videos to them; overall accuracy hides how badly they are recognised.',
    find: smallClasses,
  },
  {
    code: 'duplicates',
    severity: 'warning',
    title: 'the same video more than once',
    advice: 'Keep one of each: copies count double in training and in testing.',
    find: ({ duplicates }) =>
      duplicates.filter(({ acrossSplits, labelsDiffer }) => !acrossSplits && !labelsDiffer).map(describeGroup),
  },
  {
    code: 'left-out',
    severity: 'warning',
    title: 'remark on the layout',
    advice: 'Check that this is meant.',
    find: ({ warnings }) => warnings,
  },
  {
    code: 'unlabelled',
    severity: 'note',
    title: 'unlabelled',
    advice: 'Fine: they are learnt from without labels.',
    find: ({ unlabelled }) => unlabelled,
  },
  {
    code: 'no-test-videos',
    severity: 'note',
    title: 'labelled videos, but none for testing',
    advice: 'Put some into _test/<class>, or split them, to know how good a model is.',
    find: ({ classes }) =>
      classes.some(({ test }) => test > 0) ? 0 : classes.reduce((sum, { train }) => sum + train, 0),
  },
  {
    code: 'ignored-files',
    severity: 'note',
    title: 'files that are no videos by their names',
    advice: 'Nothing to do, unless a video has an unusual extension.',
    find: ({ ignored }) => ignored,
  },
];

/** The findings about a data set as a whole. */
export function dataSetFindings(facts: DataSetFacts): Finding[] {
  return rules.flatMap(({ find, ...rule }) => {
    const found = find(facts);
    if (typeof found === 'number') return found === 0 ? [] : [{ ...rule, count: found, examples: [] }];
    const occurrences = new Occurrences();
    for (const example of found) occurrences.add(example);
    return occurrences.count === 0 ? [] : [{ ...rule, count: occurrences.count, examples: occurrences.examples }];
  });
}

/** A group in one line: which files, and where it matters what they are for and which label they carry. */
export function describeGroup({ members, acrossSplits, labelsDiffer }: DuplicateGroup): string {
  const describe = ({ id, split, label }: DuplicateGroup['members'][number]) => {
    const remarks = [...(acrossSplits ? [split] : []), ...(labelsDiffer ? [label ?? 'unlabelled'] : [])];
    return remarks.length === 0 ? id : `${id} (${remarks.join(', ')})`;
  };
  const shown = members.slice(0, 4).map(describe).join(' = ');
  return members.length > 4 ? `${shown} = … (${members.length} in all)` : shown;
}

function smallClasses({ classes }: DataSetFacts): string[] {
  const trained = classes.filter(({ train }) => train > 0).sort((a, b) => a.train - b.train);
  const most = trained.at(-1)?.train ?? 0;
  return trained
    .filter(({ train }) => train * UNBALANCED < most)
    .map(({ name, train }) => `${name}: ${train} of ${most}`);
}
