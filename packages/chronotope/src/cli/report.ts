import { Command } from 'commander';
import { reportRun } from '../runs/report/report-run.js';
import { interruptible } from './run-command.js';

/** `chronotope report <run>`. */
export function reportCommand(): Command {
  return new Command('report')
    .description('write what a run did and how good it is as one HTML file')
    .argument('<run>', 'a run folder, finished or not')
    .option('--out <file>', 'the HTML file; default: report.html in the run folder')
    .option('--data <folder>', 'class folders to test on; default: the _test videos of the training data')
    .option('--against <runs...>', 'for a run of CCL: other such runs, such as MoCo, to stand beside it')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope report ./runs/mine --out mine.html' +
        '\n  $ chronotope report ./runs/ccl --against ./runs/moco ./runs/intra',
    )
    .action(async (run: string, flags: { out?: string; data?: string; against?: string[] }) => {
      const file = await interruptible((signal, progress) => reportRun(run, { ...flags, signal, progress }));
      process.stdout.write(`${file}\n`);
    });
}
