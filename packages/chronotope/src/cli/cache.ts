import { formatBytes } from '@chronotope/video';
import { Command, Option } from 'commander';
import { loadVideoRecipe, shippedRecipes } from '../recipes/load.js';
import {
  buildFrameCache,
  clearFrameCache,
  describeFrameCache,
  type FrameCacheOptions,
  verifyFrameCache,
} from '../runs/frame-cache.js';
import { addDatasetOptions, type DatasetFlags, readOptions } from './dataset-options.js';
import { byteSize, positiveInteger, setOption } from './options.js';
import { EXIT } from './report-error.js';
import { untilInterrupted } from './run-command.js';
import { storeTable } from './tables.js';

interface CacheFlags extends DatasetFlags {
  store: string;
  json?: boolean;
}

interface BuildFlags extends CacheFlags {
  recipe: string;
  set: string[];
  frameFormat?: string;
  budget?: string;
  jobs?: number;
  checksums?: boolean;
}

/** `chronotope cache build|info|verify|clear`. */
export function cacheCommand(): Command {
  return new Command('cache')
    .description('decode videos once into a frame store that several runs share')
    .addCommand(buildCommand())
    .addCommand(infoCommand())
    .addCommand(verifyCommand())
    .addCommand(clearCommand())
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope cache build ./videos --store ./frames' +
        '\n  $ chronotope train timebalance --data ./videos --out ./runs/one --frames ./frames' +
        '\n\ndocs/frame-store.md explains what is kept, and how large it is.',
    );
}

function buildCommand(): Command {
  const command = new Command('build')
    .description('decode the videos that are not in the store yet')
    .argument('<data>', 'a manifest, or a data set in any format')
    .option('--recipe <name or file>', `size and frame rate: ${shippedRecipes().join(', ')}`, 'timebalance-small')
    .addOption(setOption('frames.shortSide=128'))
    .addOption(new Option('--frame-format <format>', 'how frames are kept').choices(['auto', 'raw', 'jpeg']))
    .option('--budget <size>', 'raw frames may take this much, such as 20GB; else JPEG', byteSize)
    .option('--jobs <n>', 'videos decoded side by side; default: the number of processors', positiveInteger)
    .option('--checksums', 'check what is stored thoroughly, and decode again what is damaged');
  return addCommonOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope cache build ./videos --store ./frames --budget 20GB' +
        '\n  $ chronotope cache build ucf101.jsonl --store ./frames --set frames.shortSide=128 --frame-format jpeg' +
        '\n  $ chronotope cache build ./videos --store ./frames --checksums' +
        '\n\nThe same command continues after an interruption, and decodes only what has changed since.',
    )
    .action(async (data: string, flags: BuildFlags) => {
      const { frames } = loadVideoRecipe(flags.recipe, [
        ...flags.set,
        ...(flags.frameFormat === undefined ? [] : [`frames.format=${flags.frameFormat}`]),
        ...(flags.budget === undefined ? [] : [`frames.budget=${flags.budget}`]),
      ]);
      const { store, jobs } = flags;
      const report = await untilInterrupted((signal, progress) => {
        const verify = flags.checksums ? 'checksum' : 'length';
        return buildFrameCache({ data, store, reading: readOptions(flags), frames, jobs, verify, progress, signal });
      });
      if (flags.json) printJson({ store, ...report });
      else {
        const { plan, stored, reused, failed } = report;
        process.stdout.write(
          `${stored} videos decoded, ${reused} known, ${failed.length} left out; stored as ${plan.format} in ${store}\n`,
        );
      }
      if (report.failed.length > 0) process.exitCode = EXIT.failed;
    });
}

function infoCommand(): Command {
  const command = new Command('info')
    .description('say what a store holds')
    .argument('[data]', 'only the videos of this data set; by default everything');
  return addCommonOptions(command)
    .addHelpText('after', '\nExample:\n  $ chronotope cache info --store ./frames')
    .action(async (data: string | undefined, flags: CacheFlags) => {
      const kinds = await untilInterrupted((signal, progress) =>
        describeFrameCache({ ...selection(data, flags), signal, progress }),
      );
      if (flags.json) printJson({ store: flags.store, kinds });
      else process.stdout.write(kinds.length === 0 ? 'the store is empty\n' : storeTable(kinds));
    });
}

function verifyCommand(): Command {
  const command = new Command('verify')
    .description('compare the checksums of all frames')
    .argument('[data]', 'only the videos of this data set; by default everything');
  return addCommonOptions(command)
    .addHelpText(
      'after',
      '\nExample:\n  $ chronotope cache verify --store ./frames' +
        '\n\nWhat is damaged is decoded again by `chronotope cache build … --checksums`.',
    )
    .action(async (data: string | undefined, flags: CacheFlags) => {
      const report = await untilInterrupted((signal, progress) =>
        verifyFrameCache({ ...selection(data, flags), signal, progress }),
      );
      if (flags.json) printJson({ store: flags.store, ...report });
      else {
        for (const { file, reason, sources } of report.damaged) {
          process.stdout.write(`damaged: ${sources.join(', ') || file}: ${reason}\n`);
        }
        process.stdout.write(`${report.checked} videos checked, ${report.damaged.length} damaged\n`);
      }
      if (report.damaged.length > 0) process.exitCode = EXIT.failed;
    });
}

function clearCommand(): Command {
  const command = new Command('clear')
    .description('remove frames, in every format and with all settings')
    .argument('[data]', 'the videos whose frames go')
    .addOption(new Option('--all', 'empty the whole store'));
  return addCommonOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope cache clear ./videos --store ./frames\n  $ chronotope cache clear --all --store ./frames',
    )
    .action(async (data: string | undefined, flags: CacheFlags & { all?: boolean }) => {
      if ((data === undefined) !== (flags.all === true)) {
        return command.error('error: give either the data set whose frames go, or --all', { exitCode: EXIT.usage });
      }
      const { removed, bytes } = await clearFrameCache(selection(data, flags));
      if (flags.json) printJson({ store: flags.store, removed, bytes });
      else process.stdout.write(`frames of ${removed} videos removed, ${formatBytes(bytes)}\n`);
    });
}

function addCommonOptions(command: Command): Command {
  command.requiredOption('--store <folder>', 'the frame store').option('--json', 'print the result as JSON');
  return addDatasetOptions(command);
}

function selection(data: string | undefined, flags: CacheFlags): FrameCacheOptions {
  return { data, store: flags.store, reading: readOptions(flags) };
}

function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
