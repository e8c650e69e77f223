import { Command } from 'commander';
import { loadRecipeOf, shippedRecipes } from '../recipes/load.js';
import { trainTracker } from '../runs/tracking/train-tracker.js';
import { seconds, setOption } from './options.js';
import { interruptible } from './run-command.js';
import type { TrainFlags } from './train-options.js';

interface TrackerFlags extends Pick<TrainFlags, 'data' | 'out' | 'recipe' | 'set' | 'saveEvery'> {
  weights?: string;
}

/** `chronotope train tracker`. */
export function trackerCommand(): Command {
  return new Command('tracker')
    .description('train a tracker (SiamFC) on the features of an image network')
    .requiredOption('--data <folder or list>', 'image sequences in the layout of GOT-10k, or a manifest with boxes')
    .requiredOption('--out <folder>', 'the run folder; the same command continues an interrupted run')
    .option(
      '--weights <file or run:stage>',
      'weights of the image network: a file, or a stage of a run such as runs/mine:student; default: random',
    )
    .option(
      '--recipe <name or file>',
      `settings: ${shippedRecipes('tracker').join(', ')}, or a YAML file`,
      'tracker-small',
    )
    .addOption(setOption('pairs.epochs=20'))
    .option('--save-every <seconds>', 'how much work a kill may cost; 0 saves after every step', seconds, 60)
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope train tracker --data ./GOT-10k/train --recipe tracker-ccl --weights resnet50.pth \\' +
        '\n      --out ./runs/tracker' +
        '\n  $ chronotope train tracker --data ./sequences --out ./runs/random    # random features: the control' +
        '\n\ndocs/tracking.md explains the protocol; chronotope recipe explain --method tracker says what can be set.',
    )
    .action(async ({ recipe: name, set, saveEvery, weights, ...flags }: TrackerFlags) => {
      const pretrained = weights === undefined ? [] : [`model.pretrained=${JSON.stringify(weights)}`];
      const recipe = loadRecipeOf('tracker', name, [...set, ...pretrained]);
      await interruptible((signal, progress) =>
        trainTracker({ ...flags, saveEverySeconds: saveEvery, recipe, signal, progress }),
      );
      process.stderr.write(`\nDone. Try: chronotope track evaluate ${flags.out} --data <OTB or GOT-10k sequences>\n`);
    });
}
