import { Command } from 'commander';
import { evaluateRun } from '../runs/evaluate.js';
import { interruptible } from './run-command.js';
import { classTable, evaluationTable } from './tables.js';

/** `chronotope evaluate <run>`. */
export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('test all classifiers of a run')
    .argument('<run>', 'a run folder')
    .option(
      '--data <folder or list>',
      'class folders, a manifest or a list to test on; default: the _test videos of the training data',
    )
    .option('--json', 'print everything, with confusion matrices, as JSON')
    .action(async (run: string, flags: { data?: string; json?: boolean }) => {
      const evaluation = await interruptible((signal, progress) => evaluateRun(run, { ...flags, signal, progress }));
      const text = flags.json
        ? `${JSON.stringify(evaluation, null, 2)}\n`
        : `\n${evaluationTable(evaluation)}\n${classTable(evaluation)}`;
      process.stdout.write(text);
    });
}
