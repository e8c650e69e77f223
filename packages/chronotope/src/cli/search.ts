import { Command } from 'commander';
import { searchVideos } from '../runs/search.js';
import { clipsOption, type LanguageFlags, MODEL_ARGUMENT, storeOption } from './language-options.js';
import { deviceOption, positiveInteger, stageOption } from './options.js';
import { interruptible } from './run-command.js';

interface SearchFlags extends LanguageFlags {
  in: string;
  model: string;
  count: number;
  index?: string;
}

/** `chronotope search "<words>"`. */
export function searchCommand(): Command {
  return new Command('search')
    .description('find the videos that fit some words best')
    .argument('<words>', 'what the videos show, such as "somebody opens a door"')
    .requiredOption('--in <folder or list>', 'the videos')
    .requiredOption('--model <run or file>', MODEL_ARGUMENT)
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
        '\n  $ chronotope search "somebody opens a door" --in ./videos --model ViT-B-16.pt --index videos.safetensors',
    )
    .action(async (words: string, { in: data, model, json, ...flags }: SearchFlags) => {
      const { hits, videos, excluded } = await interruptible((signal, progress) =>
        searchVideos(model, data, words, { ...flags, signal, progress }),
      );
      if (json) process.stdout.write(`${JSON.stringify(hits, null, 2)}\n`);
      else for (const { path, similarity } of hits) process.stdout.write(`${similarity.toFixed(3)}  ${path}\n`);
      process.stderr.write(`best of ${videos} videos${excluded.length > 0 ? `, ${excluded.length} left out` : ''}\n`);
    });
}
