import { Command } from 'commander';
import { loadRecipe, shippedRecipes } from '../recipes/load.js';
import { trainTimeBalance } from '../runs/train.js';
import { positiveInteger, seconds, setOption } from './options.js';
import { interruptible } from './run-command.js';
import { evaluationTable } from './tables.js';

interface TrainFlags {
  data: string;
  out: string;
  split?: string;
  recipe: string;
  set: string[];
  labelsPerClass?: number;
  labelDraws: number;
  labels?: string;
  pretrained?: string;
  frames?: string;
  saveEvery: number;
  json?: boolean;
}

/** `chronotope train timebalance`. */
export function trainCommand(): Command {
  const timebalance = new Command('timebalance')
    .description('train an action recogniser from few labels and many unlabelled videos')
    .requiredOption(
      '--data <folder or list>',
      'class folders with videos; _unlabelled/ for the rest; _test/<class>/ for testing. Or a manifest or list',
    )
    .option('--split <file>', 'parts and labels from a split file (see chronotope split)')
    .requiredOption('--out <folder>', 'the run folder; the same command continues an interrupted run')
    .option('--recipe <name or file>', `settings: ${shippedRecipes().join(', ')}, or a YAML file`, 'timebalance-small')
    .addOption(setOption())
    .option('--labels-per-class <n>', 'use only n labels of each class, drawn at random', positiveInteger)
    .option('--label-draws <n>', 'how many times to draw them, on one pre-training', positiveInteger, 1)
    .option('--labels <file>', 'a CSV file of path,label lines: use only these labels')
    .option('--pretrained <run>', 'take the pre-trained networks of another run, for the same videos with more labels')
    .option('--frames <store>', 'keep decoded frames here, shared by several runs; by default in the run folder')
    .option('--save-every <seconds>', 'how much work a kill may cost; 0 saves after every step', seconds, 60)
    .option('--json', 'print the test accuracies as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope train timebalance --data ./videos --out ./runs/mine' +
        '\n  $ chronotope train timebalance --data ./videos --out ./runs/two --labels-per-class 2 --label-draws 3' +
        '\n  $ chronotope train timebalance --data ./videos --out ./runs/quick --set student.steps=100' +
        '\n\nchronotope recipe explain says what can be set.',
    )
    .action(async (flags: TrainFlags) => {
      const recipe = loadRecipe(flags.recipe, flags.set);
      const evaluation = await interruptible((signal, progress) =>
        trainTimeBalance({
          ...flags,
          labelsFile: flags.labels,
          saveEverySeconds: flags.saveEvery,
          recipe,
          signal,
          progress,
        }),
      );
      if (flags.json) process.stdout.write(`${JSON.stringify(evaluation, null, 2)}\n`);
      else if (evaluation) process.stdout.write(`\n${evaluationTable(evaluation)}`);
      process.stderr.write(`\nDone. Try: chronotope predict ${flags.out} <video file>\n`);
    });
  return new Command('train').description('train a model').addCommand(timebalance);
}
