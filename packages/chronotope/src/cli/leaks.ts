import { Command } from 'commander';
import { readDataset } from '../data/readers/read-dataset.js';
import { applySplit, readSplit } from '../data/splits/dataset-split.js';
import { findLeaks, withContentHashes } from '../data/splits/leaks.js';
import { addDatasetOptions, type DatasetFlags, readingRemarks, readOptions } from './dataset-options.js';
import { EXIT } from './report-error.js';
import { leakRemarks } from './tables.js';

interface LeaksFlags extends DatasetFlags {
  split?: string;
  content?: boolean;
  json?: boolean;
}

/** `chronotope leaks <data>`; exits with 1 when there is one. */
export function leaksCommand(): Command {
  const command = new Command('leaks')
    .description('check that training, validation and test videos have no file, group or content in common')
    .argument('<data>', 'a manifest, or a data set in any format')
    .option('--split <file>', 'with the parts of this split')
    .option('--content', 'compare the contents of files as well')
    .option('--json', 'print the leaks as JSON');
  return addDatasetOptions(command)
    .addHelpText('after', '\nExample:\n  $ chronotope leaks ./videos --split five.jsonl --content')
    .action(async (data: string, flags: LeaksFlags) => {
      const dataset = await readDataset(data, readOptions(flags));
      process.stderr.write(readingRemarks(dataset, flags.keepMissing));
      const parted =
        flags.split === undefined ? dataset.entries : applySplit(dataset.entries, readSplit(flags.split)).entries;
      const leaks = findLeaks(flags.content ? await withContentHashes(parted) : parted);
      process.stdout.write(flags.json ? `${JSON.stringify(leaks, null, 2)}\n` : leakRemarks(leaks) || 'no leaks\n');
      if (leaks.length > 0) process.exitCode = EXIT.failed;
    });
}
