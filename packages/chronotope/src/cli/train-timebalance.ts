import { Command, Option } from 'commander';
import { FIDELITIES, type Fidelity, fidelityOverrides } from '../recipes/fidelity.js';
import { loadRecipeOf } from '../recipes/load.js';
import { trainTimeBalance } from '../runs/train-timebalance.js';
import { positiveInteger } from './options.js';
import { interruptible, printsResults } from './run-command.js';
import { evaluationTable } from './tables.js';
import { addTrainOptions, type TrainFlags } from './train-options.js';

interface TimeBalanceFlags extends TrainFlags {
  labelsPerClass?: number;
  labelDraws: number;
  labels?: string;
  pretrained?: string;
  fidelity?: Fidelity;
  json?: boolean;
}

/** `chronotope train timebalance`. */
export function timebalanceCommand(): Command {
  const command = new Command('timebalance')
    .description('train an action recogniser from few labels and many unlabelled videos')
    .requiredOption(
      '--data <folder or list>',
      'class folders with videos; _unlabelled/ for the rest; _test/<class>/ for testing. Or another layout, or a list',
    );
  return addTrainOptions(command, 'timebalance', { recipe: 'timebalance-small', setting: 'student.steps=400' })
    .option('--labels-per-class <n>', 'use only n labels of each class, drawn at random', positiveInteger)
    .option('--label-draws <n>', 'how many times to draw them, on one pre-training', positiveInteger, 1)
    .option('--labels <file>', 'a CSV file of path,label lines: use only these labels')
    .addOption(
      new Option(
        '--fidelity <to>',
        'set what paper and published code of TimeBalance disagree on as one of them has it; --set comes after',
      ).choices([...FIDELITIES]),
    )
    .option('--pretrained <run>', 'take the pre-trained networks of another run, for the same videos with more labels')
    .option('--json', 'print the test accuracies as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope train timebalance --data ./videos --out ./runs/mine' +
        '\n  $ chronotope train timebalance --data ./videos --out ./runs/two --labels-per-class 2 --label-draws 3' +
        '\n  $ chronotope train timebalance --data ./videos --out ./runs/quick --set student.steps=100' +
        '\n  $ chronotope train timebalance --data ./videos --out ./runs/ema --set training.ema.decay=0.99' +
        '\n\nchronotope recipe explain says what can be set.',
    )
    .action(async ({ recipe: name, set, labels, fidelity, saveEvery, json, ...flags }: TimeBalanceFlags) => {
      const follows = fidelity === undefined ? [] : fidelityOverrides(fidelity);
      const recipe = loadRecipeOf('timebalance', name, [...follows, ...set]);
      const evaluation = await interruptible((signal, progress) =>
        trainTimeBalance({ ...flags, labelsFile: labels, saveEverySeconds: saveEvery, recipe, signal, progress }),
      );
      if (!printsResults()) return;
      if (json) process.stdout.write(`${JSON.stringify(evaluation, null, 2)}\n`);
      else if (evaluation) process.stdout.write(`\n${evaluationTable(evaluation)}`);
      process.stderr.write(`\nDone. Try: chronotope predict ${flags.out} <video file>\n`);
    });
}
