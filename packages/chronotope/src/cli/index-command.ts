import path from 'node:path';
import { Command } from 'commander';
import { indexVideos } from '../data/index/index-videos.js';
import { renderHealth } from '../data/index/render-health.js';
import { positiveInteger } from './options.js';
import { untilInterrupted } from './run-command.js';

interface IndexFlags {
  out?: string;
  jobs?: number;
  timeout: number;
  json?: boolean;
}

/** `chronotope index <source>`. */
export function indexCommand(): Command {
  return new Command('index')
    .description('look at every video of a data set once: a manifest of the usable ones and a health report')
    .argument('<source>', 'a folder of videos, frames or archives, or a .csv, .jsonl or .txt file that lists them')
    .option('--out <folder>', 'where manifest and report go; default: <name of the source>.index in the current folder')
    .option('--jobs <n>', 'files looked at side by side; default: the number of processors', positiveInteger)
    .option('--timeout <seconds>', 'longest time for one pass over a file', positiveInteger, 300)
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
A folder is read as <class>/** (labelled), _unlabelled/** and _test/<class>/**; a list by its columns path, label, split, group.
Folders of frames, images and tar archives are read as docs/datasets.md says.
The same command continues after an interruption, and looks only at what has changed since.

Examples:
  $ chronotope index ./videos
  $ chronotope index ./frames
  $ chronotope index clips.csv --out ./clips.index --jobs 8
  $ chronotope index ./videos --json | jq '.findings[] | select(.severity == "error")'`,
    )
    .action(async (source: string, { out = defaultFolder(source), jobs, timeout, json }: IndexFlags) => {
      const report = await untilInterrupted((signal, progress) =>
        indexVideos({ source, out, jobs, timeoutMs: timeout * 1000, signal, progress }),
      );
      process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `\n${renderHealth(report)}`);
    });
}

function defaultFolder(source: string): string {
  return `${path.parse(path.resolve(source)).name}.index`;
}
