import type { Command } from 'commander';
import { shippedRecipes } from '../recipes/load.js';
import type { MethodName } from '../recipes/schemas.js';
import { seconds, setOption } from './options.js';

/** The options of every `chronotope train <method>`. */
export interface TrainFlags {
  data: string;
  out: string;
  split?: string;
  recipe: string;
  set: string[];
  frames?: string;
  saveEvery: number;
}

/** Adds them, but for `--data`, which every method explains in its own way. */
export function addTrainOptions(command: Command, method: MethodName, defaultRecipe: string): Command {
  return command
    .requiredOption('--out <folder>', 'the run folder; the same command continues an interrupted run')
    .option('--split <file>', 'parts and labels from a split file (see chronotope split)')
    .option('--recipe <name or file>', `settings: ${shippedRecipes(method).join(', ')}, or a YAML file`, defaultRecipe)
    .addOption(setOption())
    .option('--frames <store>', 'keep decoded frames here, shared by several runs; by default in the run folder')
    .option('--save-every <seconds>', 'how much work a kill may cost; 0 saves after every step', seconds, 60);
}
