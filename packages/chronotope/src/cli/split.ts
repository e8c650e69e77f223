import { Command, Option } from 'commander';
import { readDataset } from '../data/readers/read-dataset.js';
import { applySplit, splitHash, writeSplit } from '../data/splits/dataset-split.js';
import type { LabelLists } from '../data/splits/label-lists.js';
import { findLeaks } from '../data/splits/leaks.js';
import { makeSplit, partSizes } from '../data/splits/make-split.js';
import { addDatasetOptions, type DatasetFlags, readingRemarks, readOptions } from './dataset-options.js';
import { percentage, positiveInteger, share, wholeNumber } from './options.js';
import { leakRemarks, partTable } from './tables.js';

interface SplitFlags extends DatasetFlags {
  out: string;
  name?: string;
  perClass?: number;
  percent?: number;
  validation?: number;
  test?: number;
  seed: number;
  draw: number;
  spread?: boolean;
  labelled?: string;
  unlabelled?: string;
  validationList?: string;
  testList?: string;
  classes?: string;
  json?: boolean;
}

/** `chronotope split <data> --out <file>`. */
export function splitCommand(): Command {
  const command = new Command('split')
    .description('decide which videos are for training and testing, and which labels may be used')
    .argument('<data>', 'a manifest, or a data set in any format')
    .requiredOption('--out <file>', 'the split to write (JSON Lines)')
    .option('--name <text>', 'what to call the split')
    .option('--validation <share>', 'cut off this share of the labelled training videos, whole groups', share)
    .option('--test <share>', 'cut off this share for testing', share)
    .addOption(
      new Option('--per-class <n>', 'keep n labels in each class').argParser(positiveInteger).conflicts('percent'),
    )
    .option('--percent <p>', 'keep this percentage of the labels of each class, at least one', percentage)
    .option('--spread', 'draw labels from as many groups as possible')
    .option('--seed <n>', 'seed of cutting and drawing', wholeNumber, 0)
    .option('--draw <n>', 'number of the label draw; each is independent of the others', wholeNumber, 0)
    .option('--labelled <list>', 'take the labelled training videos from a published list instead')
    .addOption(needsLabelled('--unlabelled <list>', 'list of the unlabelled ones (default: all others)'))
    .addOption(needsLabelled('--validation-list <list>', 'list of the validation videos'))
    .addOption(needsLabelled('--test-list <list>', 'list of the test videos'))
    .addOption(needsLabelled('--classes <file>', 'names of the classes by number, for lists without names'))
    .option('--json', 'print the result as JSON');
  return addDatasetOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope split ./videos --test 0.2 --group-pattern "_(p\\d+)_" --per-class 5 --out five.jsonl' +
        '\n  $ chronotope split ucf101.jsonl --percent 1 --out one-percent.jsonl' +
        '\n  $ chronotope split ucf101.jsonl --labelled ucf101_train_5_percent_labeled_split_1_rawframes.txt --out ltg-5.jsonl' +
        '\n\nWith the same seed and draw, the 5 % set contains the 1 % set.',
    )
    .action(async (data: string, flags: SplitFlags) => {
      const dataset = await readDataset(data, readOptions(flags));
      process.stderr.write(readingRemarks(dataset, flags.keepMissing));
      const { split, notes } = makeSplit(dataset.entries, {
        ...flags,
        labels: budgetOf(flags),
        groups: flags.spread ? 'spread' : 'ignore',
        lists: listsOf(flags),
      });
      writeSplit(flags.out, split);
      const { entries } = applySplit(dataset.entries, split);
      const parts = partSizes(entries);
      const leaks = findLeaks(entries);
      for (const note of notes) process.stderr.write(`note: ${note}\n`);
      process.stderr.write(leakRemarks(leaks));
      const hash = splitHash(split);
      process.stdout.write(
        flags.json
          ? `${JSON.stringify({ name: split.name, hash, madeFrom: split.madeFrom, parts, leaks, notes }, null, 2)}\n`
          : partTable(parts),
      );
      process.stderr.write(`split "${split.name}" written to ${flags.out}\n${hash}\n`);
    });
}

const needsLabelled = (flags: string, description: string): Option =>
  new Option(flags, `${description}; with --labelled`);

function budgetOf({ perClass, percent }: SplitFlags) {
  if (perClass !== undefined) return { perClass };
  return percent === undefined ? undefined : { percent };
}

function listsOf({ labelled, unlabelled, validationList, testList, classes }: SplitFlags): LabelLists | undefined {
  return labelled === undefined
    ? undefined
    : { labelled, unlabelled, validation: validationList, test: testList, classes };
}
