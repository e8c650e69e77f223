import { Command } from 'commander';
import { searchVideos } from '../runs/search.js';
import { searchLike } from '../runs/search-like.js';
import { clipsOption, type LanguageFlags, MODEL_ARGUMENT, storeOption } from './language-options.js';
import { deviceOption, positiveInteger, stageOption } from './options.js';
import { interruptible } from './run-command.js';

interface SearchFlags extends LanguageFlags {
  in: string;
  model: string;
  count: number;
  index?: string;
  like?: string;
}

/** `chronotope search "<words>"`, or `--like <video>`. */
export function searchCommand(): Command {
  return new Command('search')
    .description('find the videos that fit some words best, or are most like a video')
    .argument('[words]', 'what the videos show, such as "somebody opens a door"')
    .option('--like <video>', 'instead of words: a video to find similar ones of, by the features of any run')
    .requiredOption('--in <folder or list>', 'the videos')
    .requiredOption('--model <run or file>', `${MODEL_ARGUMENT}; with --like any run`)
    .option('--count <n>', 'how many videos to name', positiveInteger, 10)
    .option('--index <file>', 'keep what the videos look like in this file, so that the next search is instant')
    .addOption(stageOption())
    .addOption(clipsOption())
    .addOption(storeOption())
    .addOption(deviceOption())
    .option('--json', 'print the videos as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope search "a red ring" --in ./videos --model ./runs/clip' +
        '\n  $ chronotope search "somebody opens a door" --in ./videos --model ViT-B-16.pt --index videos.safetensors' +
        '\n  $ chronotope search --like clip.mp4 --in ./videos --model ./runs/ccl',
    )
    .action(async (words: string | undefined, flags: SearchFlags, command: Command) => {
      const { in: data, model, json, like, ...others } = flags;
      if ((words === undefined) === (like === undefined)) {
        command.error('error: give either words or --like <video>', { code: 'commander.missingArgument' });
      }
      if (like !== undefined && (flags.index ?? flags.store) !== undefined) {
        command.error('error: --index and --store are for words', { code: 'commander.conflictingOption' });
      }
      const { hits, videos, excluded } = await interruptible((signal, progress) =>
        like === undefined
          ? searchVideos(model, data, words!, { ...others, signal, progress })
          : searchLike(model, data, like, { ...others, signal, progress }),
      );
      if (json) process.stdout.write(`${JSON.stringify(hits, null, 2)}\n`);
      else for (const { path, similarity } of hits) process.stdout.write(`${similarity.toFixed(3)}  ${path}\n`);
      process.stderr.write(`best of ${videos} videos${excluded.length > 0 ? `, ${excluded.length} left out` : ''}\n`);
    });
}
