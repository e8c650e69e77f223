import { Command, Option } from 'commander';
import { VIEW_STAGES, type ViewStage } from '../methods/timebalance/view-plans.js';
import { loadRecipeOf, shippedRecipes } from '../recipes/load.js';
import { inspectViews } from '../runs/inspect.js';
import { setOption, wholeNumber } from './options.js';
import { interruptible } from './run-command.js';

interface InspectFlags {
  recipe: string;
  set: string[];
  stage: ViewStage;
  sample?: string;
  epoch: number;
  out: string;
  json?: boolean;
}

/** `chronotope inspect <data>`. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description('show a video as the network gets it: a contact sheet of its views, with what was drawn for each')
    .argument('<data>', 'a folder of class folders, or one video file')
    .option('--sample <id>', 'the video: its id, its path, or the end of it; by default the first one')
    .option(
      '--recipe <name or file>',
      `settings: ${shippedRecipes('timebalance').join(', ')}, or a YAML file`,
      'timebalance-small',
    )
    .addOption(setOption('student.steps=400'))
    .addOption(new Option('--stage <stage>', 'whose views').choices([...VIEW_STAGES]).default('pretrain-student'))
    .option('--epoch <n>', 'the epoch, counted from 0', wholeNumber, 0)
    .option('--out <file>', 'the contact sheet: .png, .svg or .html', 'sheet.png')
    .option('--json', 'print what was drawn as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope inspect ./videos --sample wave/12.mp4 --out wave.html' +
        '\n  $ chronotope inspect ./videos --stage evaluation --recipe ./runs/mine/recipe.yaml',
    )
    .action(async (data: string, flags: InspectFlags) => {
      const recipe = loadRecipeOf('timebalance', flags.recipe, flags.set);
      const { id, clips } = await interruptible((signal) => inspectViews({ ...flags, data, recipe, signal }));
      if (flags.json) {
        const drawn = clips.map(({ view, ...clip }) => ({ view: view.name, ...clip }));
        process.stdout.write(
          `${JSON.stringify({ id, stage: flags.stage, epoch: flags.epoch, clips: drawn }, null, 2)}\n`,
        );
      }
      process.stderr.write(`${flags.out}: ${clips.length} clips of ${id}\n`);
    });
}
