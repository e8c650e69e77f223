import Table from 'cli-table3';
import { Command, Option } from 'commander';
import type { CrossModalResult } from '../evaluation/cross-modal.js';
import { VIEW_AVERAGES, type ViewAverage } from '../evaluation/zero-shot.js';
import { readConcepts } from '../language/concept-file.js';
import { type CaptionRetrieval, retrieveByCaption, type ZeroShotResult, zeroShot } from '../runs/zero-shot.js';
import { clipsOption, type LanguageFlags, MODEL_ARGUMENT, storeOption, templatesOption } from './language-options.js';
import { cropsOption, deviceOption, stageOption } from './options.js';
import { interruptible } from './run-command.js';

interface ZeroShotFlags extends LanguageFlags {
  templates: readonly string[];
  concepts?: string;
  captions?: boolean;
  crops: 1 | 3;
  average: ViewAverage;
}

/** `chronotope zero-shot <model> <data>`. */
export function zeroShotCommand(): Command {
  return new Command('zero-shot')
    .description('test how well videos are recognised by the names of their classes, or found by their captions')
    .argument('<model>', MODEL_ARGUMENT)
    .argument('<data>', 'class folders, a manifest or a list; its test videos, if it has any')
    .addOption(templatesOption())
    .option(
      '--concepts <list or file>',
      'descriptions of the classes, from a list such as ucf101 or a file, beside their names',
    )
    .addOption(
      new Option('--captions', 'find videos by their captions and captions by their videos instead').conflicts(
        'concepts',
      ),
    )
    .addOption(stageOption())
    .addOption(clipsOption())
    .addOption(cropsOption())
    .addOption(
      new Option('--average <what>', 'what is averaged over the clips and crops of a video')
        .choices([...VIEW_AVERAGES])
        .default('directions')
        .conflicts('captions'),
    )
    .addOption(storeOption())
    .addOption(deviceOption())
    .option('--json', 'print everything as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope zero-shot ./runs/clip ./videos' +
        '\n  $ chronotope zero-shot ViT-B-16.pt ./videos --templates "a video of a person {}.|somebody is {}."' +
        '\n  $ chronotope zero-shot ./runs/clip ./demo-videos --concepts demo' +
        '\n  $ chronotope zero-shot ./runs/lss ./ucf101 --clips 4 --crops 3 --average probabilities' +
        '\n  $ chronotope zero-shot ./runs/clip ./videos --captions',
    )
    .action(
      async (
        model: string,
        data: string,
        { templates, concepts, captions, average, json, ...flags }: ZeroShotFlags,
      ) => {
        const text = await interruptible(async (signal, progress) => {
          const options = { ...flags, signal, progress };
          if (captions) {
            const found = await retrieveByCaption(model, data, options);
            return json ? `${JSON.stringify(found, null, 2)}\n` : retrievalTable(found);
          }
          const described = concepts === undefined ? {} : { concepts: readConcepts(concepts) };
          const result = await zeroShot(model, data, { ...options, ...described, templates, average });
          return json ? `${JSON.stringify(result, null, 2)}\n` : zeroShotTable(result);
        });
        process.stdout.write(text);
      },
    );
}

function zeroShotTable({ videos, top1, top5, perClass, prompts }: ZeroShotResult): string {
  const table = new Table({ head: ['class', 'videos', 'top-1 %'], style: { head: [], border: [], compact: true } });
  for (const { name, videos: count, top1: share } of perClass) table.push([name, count, percent(share)]);
  const five = perClass.length > 5 ? `, top-5 ${percent(top5)} %` : '';
  const sets = `${prompts.length} prompt${prompts.length === 1 ? '' : 's'}, such as "${prompts[0]}"`;
  return `\n${table}\n${videos} videos, ${sets}: top-1 ${percent(top1)} %${five}\n`;
}

function retrievalTable({ videos, textToVideo, videoToText }: CaptionRetrieval): string {
  const head = ['', ...textToVideo.recall.map(({ k }) => `R@${k} %`), 'median rank'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  const row = (name: string, { recall, medianRank }: CrossModalResult) =>
    table.push([name, ...recall.map(({ value }) => percent(value)), medianRank]);
  row('caption to video', textToVideo);
  row('video to caption', videoToText);
  return `\n${table}\n${videos} videos with a caption\n`;
}

const percent = (share: number): string => (100 * share).toFixed(1);
