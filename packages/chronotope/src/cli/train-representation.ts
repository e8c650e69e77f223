import { Command } from 'commander';
import { loadRecipeOf } from '../recipes/load.js';
import type { MethodName, RecipeOf } from '../recipes/schemas.js';
import type { StartOptions } from '../runs/start-run.js';
import { interruptible, printsResults } from './run-command.js';
import { addTrainOptions, type TrainFlags } from './train-options.js';

/** A method that learns from videos without labels, for the command line. */
export interface RepresentationCommand<M extends MethodName> {
  method: M;
  description: string;
  /** The recipe if none is named. */
  recipe: string;
  /** A setting worth an example, such as `steps=100`. */
  setting: string;
  train: (options: StartOptions & { recipe: RecipeOf<M> }) => Promise<void>;
}

/** `chronotope train <method>` of a method that needs no labels. */
export function representationCommand<M extends MethodName>(about: RepresentationCommand<M>): Command {
  const { method, description } = about;
  const command = new Command(method)
    .description(description)
    .requiredOption('--data <folder or list>', 'a folder of videos, with classes or without, or a manifest or list');
  return addTrainOptions(command, method, about)
    .addHelpText(
      'after',
      `\nExamples:\n  $ chronotope train ${method} --data ./videos --out ./runs/${method}` +
        `\n  $ chronotope train ${method} --data ./videos --out ./runs/quick --set ${about.setting}` +
        `\n\nchronotope recipe explain --method ${method} says what can be set.`,
    )
    .action(async ({ recipe: name, set, saveEvery, ...flags }: TrainFlags) => {
      const recipe = loadRecipeOf(method, name, set);
      await interruptible((signal, progress) =>
        about.train({ ...flags, saveEverySeconds: saveEvery, recipe, signal, progress }),
      );
      if (!printsResults()) return;
      process.stderr.write(`\nDone. Try: chronotope evaluate ${flags.out} --protocol knn\n`);
    });
}
