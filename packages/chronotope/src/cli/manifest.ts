import { Command } from 'commander';
import { writeManifest } from '../data/manifest.js';
import { readDataset } from '../data/readers/read-dataset.js';
import { applySplit, readSplit } from '../data/splits/dataset-split.js';
import { partSizes } from '../data/splits/make-split.js';
import { addDatasetOptions, type DatasetFlags, readingRemarks, readOptions } from './dataset-options.js';
import { partTable } from './tables.js';

interface ManifestFlags extends DatasetFlags {
  out: string;
  split?: string;
  json?: boolean;
}

/** `chronotope manifest <source> --out <file>`. */
export function manifestCommand(): Command {
  const command = new Command('manifest')
    .description('read a data set in any format and list its videos in a manifest')
    .argument('<source>', 'a folder, or a list: CSV, JSONL, tar, Label Studio JSON, CVAT XML')
    .requiredOption('--out <file>', 'the manifest to write (JSON Lines)')
    .option('--split <file>', 'set parts and labels from a split file')
    .option('--json', 'print what was found as JSON');
  return addDatasetOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope manifest ./videos --out videos.jsonl' +
        '\n  $ chronotope manifest ./UCF101 --fold 2 --out ucf101-2.jsonl' +
        '\n  $ chronotope manifest clips.csv --column group=person --out clips.jsonl' +
        '\n\ndocs/datasets.md shows every format.',
    )
    .action(async (source: string, flags: ManifestFlags) => {
      const dataset = await readDataset(source, readOptions(flags));
      const { entries, notes } =
        flags.split === undefined
          ? { entries: dataset.entries, notes: [] }
          : applySplit(dataset.entries, readSplit(flags.split));
      const { format, recognisedBy, missing } = dataset;
      writeManifest(flags.out, entries);
      process.stderr.write(readingRemarks({ ...dataset, notes: [...dataset.notes, ...notes] }, flags.keepMissing));
      const parts = partSizes(entries);
      process.stdout.write(
        flags.json
          ? `${JSON.stringify({ format, recognisedBy, videos: entries.length, parts, missing, notes: [...dataset.notes, ...notes] }, null, 2)}\n`
          : partTable(parts),
      );
      process.stderr.write(`${entries.length} videos listed in ${flags.out}\n`);
    });
}
