import { Command } from 'commander';
import { buildR2v2, type R2v2Report } from '../runs/build-r2v2.js';
import { positiveInteger, positiveNumber, wholeNumber } from './options.js';
import { untilInterrupted } from './run-command.js';

interface BuildFlags {
  out: string;
  framesPerVideo: number;
  spacing: number;
  most: number;
  maxSide: number;
  quality: number;
  keepSimilar?: boolean;
  keepBorders?: boolean;
  keepFlat?: boolean;
  seed: number;
  jobs?: number;
  json?: boolean;
}

/** `chronotope r2v2 build`. */
export function r2v2Command(): Command {
  return new Command('r2v2')
    .description('make a data set of pictures from videos, as R2V2 was made')
    .addCommand(buildCommand());
}

function buildCommand(): Command {
  return new Command('build')
    .description('choose a few pictures of every video, some seconds apart, for training an image encoder')
    .argument('<data>', 'a folder of videos, with classes or without, or a manifest or list')
    .requiredOption('--out <folder>', 'the folder to be made; the same command continues after an interruption')
    .option('--frames-per-video <n>', 'pictures of each video', positiveInteger, 4)
    .option('--spacing <seconds>', 'time between them; less in short videos', positiveNumber, 5)
    .option('--most <n>', 'frames that are looked at in one try', positiveInteger, 10)
    .option('--max-side <pixels>', 'larger frames are scaled to this on the longer side', positiveInteger, 480)
    .option('--quality <n>', 'of the JPEG files, 1 to 100', positiveInteger, 95)
    .option('--keep-similar', 'keep frames that hardly differ from the one before')
    .option('--keep-borders', 'do not cut black or still borders')
    .option('--keep-flat', 'keep title cards and other frames without detail')
    .option('--seed <n>', 'decides about starts and choices', wholeNumber, 1)
    .option('--jobs <n>', 'videos decoded at the same time; default: the number of processors', positiveInteger)
    .option('--json', 'print what was made as JSON')
    .addHelpText(
      'after',
      `
The folder has the layout of R2V2: train/ and val/ with <2 characters>/<11 characters>_<frame>.jpg. videos.jsonl says which
video each name is.

Examples:
  $ chronotope r2v2 build ./videos --out ./pictures
  $ chronotope r2v2 build clips.csv --out ./pictures --spacing 1 --keep-flat
  $ chronotope train ccl --data ./pictures --out ./runs/ccl`,
    )
    .action(async (data: string, flags: BuildFlags) => {
      const { spacing, most, keepSimilar, keepBorders, keepFlat, json, ...others } = flags;
      const filters = { similar: !keepSimilar, borders: !keepBorders, flat: !keepFlat };
      const report = await untilInterrupted((signal, progress) =>
        buildR2v2({ ...others, data, spacingSeconds: spacing, mostFrames: most, filters, signal, progress }),
      );
      process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : `${describe(report)}\n`);
    });
}

function describe({ videos, pictures, shortened, skipped }: R2v2Report): string {
  return [
    `${pictures} pictures of ${videos} videos`,
    ...(shortened > 0 ? [`${shortened} videos are short: their pictures lie nearer together`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} videos left out`] : []),
  ].join('\n');
}
