import path from 'node:path';
import { Command } from 'commander';
import { indexVideos } from '../data/index/index-videos.js';
import { renderHealth } from '../data/index/render-health.js';
import { addLayoutOptions, type DatasetFlags, readOptions } from './dataset-options.js';
import { positiveInteger } from './options.js';
import { untilInterrupted } from './run-command.js';

interface IndexFlags extends DatasetFlags {
  out?: string;
  jobs?: number;
  timeout: number;
  json?: boolean;
}

/** `chronotope index <source>`. */
export function indexCommand(): Command {
  const command = new Command('index')
    .description('look at every video of a data set once: a manifest of the usable ones and a health report')
    .argument('<source>', 'a data set in any layout: a folder, or a .csv, .jsonl, .txt or other file that lists videos')
    .option('--out <folder>', 'where manifest and report go; default: <name of the source>.index in the current folder')
    .option('--jobs <n>', 'files looked at side by side; default: the number of processors', positiveInteger)
    .option('--timeout <seconds>', 'longest time for one pass over a file', positiveInteger, 300)
    .option('--json', 'print the report as JSON');
  return addLayoutOptions(command)
    .addHelpText(
      'after',
      `
A folder is read as <class>/** (labelled), _unlabelled/** and _test/<class>/**; a list by its columns path, label, split, group.
Published data sets (UCF101, HMDB51, Kinetics, …), frames, images and archives are read as docs/datasets.md says; --format settles
which it is, as with chronotope manifest.
The same command continues after an interruption, and looks only at what has changed since.

Examples:
  $ chronotope index ./videos
  $ chronotope index ./UCF101 --fold 2
  $ chronotope index ./frames --format frame-folders
  $ chronotope index clips.csv --out ./clips.index --jobs 8
  $ chronotope index ./videos --json | jq '.findings[] | select(.severity == "error")'`,
    )
    .action(async (source: string, flags: IndexFlags) => {
      const { out = defaultFolder(source), jobs, timeout, json } = flags;
      const reading = readOptions(flags);
      const report = await untilInterrupted((signal, progress) =>
        indexVideos({ source, reading, out, jobs, timeoutMs: timeout * 1000, signal, progress }),
      );
      process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `\n${renderHealth(report)}`);
    });
}

function defaultFolder(source: string): string {
  return `${path.parse(path.resolve(source)).name}.index`;
}
