import { Command, Option } from 'commander';
import { STAGES_WITH_VIEWS } from '../methods/stage-views.js';
import { inspectViews } from '../runs/inspect.js';
import { addLayoutOptions, type DatasetFlags, readOptions } from './dataset-options.js';
import { setOption, wholeNumber } from './options.js';
import { interruptible } from './run-command.js';

interface InspectFlags extends DatasetFlags {
  recipe?: string;
  set: string[];
  stage?: string;
  sample?: string;
  epoch: number;
  out: string;
  json?: boolean;
}

/** `chronotope inspect <data or run>`. */
export function inspectCommand(): Command {
  const command = new Command('inspect')
    .description('show a video as the network gets it: a contact sheet of its views, with what was drawn for each')
    .argument('<data or run>', 'a data set in any layout, a list of videos, one video or image, or a run folder')
    .option('--sample <id>', 'the video: its id, its path, or the end of its id; by default the first one')
    .option(
      '--recipe <name or file>',
      'settings of any method that sees videos, or a run that has them; default: those of the run, else timebalance-small',
    )
    .addOption(setOption('student.steps=400'))
    .addOption(
      new Option('--stage <stage>', "whose views; default: where the method's network learns").choices([
        ...new Set(Object.values(STAGES_WITH_VIEWS).flat()),
      ]),
    )
    .option('--epoch <n>', 'the epoch, counted from 0', wholeNumber, 0)
    .option('--out <file>', 'the contact sheet: .png, .svg or .html', 'sheet.png')
    .option('--json', 'print what was drawn as JSON');
  return addLayoutOptions(command)
    .addHelpText('after', `\nStages:\n${stageList()}\n${EXAMPLES}`)
    .action(async (data: string, flags: InspectFlags) => {
      const reading = readOptions(flags);
      const { clips, ...about } = await interruptible((signal) => inspectViews({ ...flags, data, reading, signal }));
      if (flags.json) {
        const drawn = clips.map(({ view, ...clip }) => ({ view: view.name, ...clip }));
        process.stdout.write(`${JSON.stringify({ ...about, epoch: flags.epoch, clips: drawn }, null, 2)}\n`);
      }
      process.stderr.write(`${flags.out}: ${clips.length} clips of ${about.id}\n`);
    });
}

const EXAMPLES = `
Examples:
  $ chronotope inspect ./videos --sample wave/12.mp4 --out wave.html
  $ chronotope inspect clips.csv --recipe ccl-small
  $ chronotope inspect ./UCF101 --recipe lss-tiny --stage evaluation
  $ chronotope inspect ./runs/mine --stage student --epoch 3`;

function stageList(): string {
  const width = Math.max(...Object.keys(STAGES_WITH_VIEWS).map((method) => method.length));
  return Object.entries(STAGES_WITH_VIEWS)
    .map(([method, stages]) => `  ${method.padEnd(width)}  ${stages.join(', ')}`)
    .join('\n');
}
