import type { Command } from 'commander';
import { shippedRecipes } from '../recipes/load.js';
import type { MethodName } from '../recipes/schemas.js';
import type { DeviceChoice } from '../runs/device.js';
import { RunFolder } from '../runs/run-folder.js';
import { deviceOption, seconds, setOption, wholeNumber } from './options.js';

/** The options of every `chronotope train <method>`. */
export interface TrainFlags {
  data: string;
  out: string;
  split?: string;
  recipe: string;
  set: string[];
  frames?: string;
  device: DeviceChoice;
  saveEvery: number;
  workers?: number;
}

/** Adds them, but for `--data`, which every method explains in its own way. `example`: the recipe if none is named, and a setting to show. */
export function addTrainOptions(
  command: Command,
  method: MethodName,
  example: { recipe: string; setting: string },
): Command {
  return command
    .requiredOption('--out <folder>', 'the run folder; the same command continues an interrupted run')
    .option('--resume', 'insist that --out holds a run that has begun, which is continued in any case')
    .hook('preAction', (self) => {
      const { resume, out } = self.opts<{ resume?: boolean; out: string }>();
      if (resume) RunFolder.open(out);
    })
    .option('--split <file>', 'parts and labels from a split file (see chronotope split)')
    .option('--recipe <name or file>', `settings: ${shippedRecipes(method).join(', ')}, or a YAML file`, example.recipe)
    .addOption(setOption(example.setting))
    .option('--frames <store>', 'keep decoded frames here, shared by several runs; by default in the run folder')
    .option('--save-every <seconds>', 'how much work a kill may cost; 0 saves after every step', seconds, 60)
    .option(
      '--workers <n>',
      'threads that make batches while the network trains, 0 for none; one for two cores by default, 4 at most',
      wholeNumber,
    )
    .addOption(deviceOption('where the networks are trained'));
}
