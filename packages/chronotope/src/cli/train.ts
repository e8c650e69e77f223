import { Command } from 'commander';
import { trainCcl } from '../runs/train-ccl.js';
import { trainClip } from '../runs/train-clip.js';
import { trainLss } from '../runs/train-lss.js';
import { framesCommand } from './train-frames.js';
import { representationCommand } from './train-representation.js';
import { timebalanceCommand } from './train-timebalance.js';
import { trackerCommand } from './train-tracker.js';

/** `chronotope train <method>`. */
export function trainCommand(): Command {
  const command = new Command('train').description('train a model');
  const methods = [timebalanceCommand(), cclCommand(), framesCommand(), clipCommand(), lssCommand(), trackerCommand()];
  for (const method of methods) command.addCommand(method);
  return command;
}

/** `chronotope train ccl`. */
function cclCommand(): Command {
  return representationCommand({
    method: 'ccl',
    description:
      'learn an image encoder from videos without labels, by cycle-consistency across videos (CycleContrast)',
    recipe: 'ccl-small',
    setting: 'pretrain.epochs=20',
    train: trainCcl,
  });
}

/** `chronotope train clip`. */
function clipCommand(): Command {
  return representationCommand({
    method: 'clip',
    description: 'learn to match frames and sentences from videos with captions (CLIP), for zero-shot use and search',
    recipe: 'clip-tiny',
    setting: 'train.epochs=20',
    train: trainClip,
  });
}

/** `chronotope train lss`. */
function lssCommand(): Command {
  return representationCommand({
    method: 'lss',
    description:
      'adapt a CLIP to video with action concepts and no labels (LSS), or learn without language (SVT recipes)',
    recipe: 'lss-tiny',
    setting: 'train.epochs=5',
    train: trainLss,
  });
}
