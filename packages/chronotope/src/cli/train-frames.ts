import { Command } from 'commander';
import { loadRecipeOf } from '../recipes/load.js';
import { type FramesEvaluation, trainFrames } from '../runs/train-frames.js';
import { interruptible } from './run-command.js';
import { addTrainOptions, type TrainFlags } from './train-options.js';

/** `chronotope train frames`. */
export function framesCommand(): Command {
  const command = new Command('frames')
    .description('train a linear layer on an image network, or fine-tune it: images, or clips seen frame by frame')
    .requiredOption('--data <folder or list>', 'videos, folders of frames, or images, with classes; or a list of them');
  return addTrainOptions(command, 'frames', { recipe: 'frames-small', setting: 'training.trunk=fine-tuned' })
    .option('--json', 'print the test accuracies as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ chronotope train frames --data ./videos --out ./runs/actions --set model.pretrained=./runs/ccl/stages/pretrain/model.safetensors
  $ chronotope train frames --data ./imagenet --out ./runs/linear --recipe frames-imagenet-linear --set model.pretrained=moco.pth.tar

chronotope recipe explain --method frames says what can be set.`,
    )
    .action(async ({ recipe: name, set, saveEvery, json, ...flags }: TrainFlags & { json?: boolean }) => {
      const recipe = loadRecipeOf('frames', name, set);
      const evaluation = await interruptible((signal, progress) =>
        trainFrames({ ...flags, saveEverySeconds: saveEvery, recipe, signal, progress }),
      );
      if (json) process.stdout.write(`${JSON.stringify(evaluation, null, 2)}\n`);
      else if (evaluation) process.stdout.write(`\n${describe(evaluation)}\n`);
    });
}

function describe({ videos, clips, search, result }: FramesEvaluation): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const { low, high } = result.top1Interval;
  const seen = clips === 1 ? '' : `, ${clips} clips of each`;
  return `top-1 ${percent(result.top1)} (95 % interval ${percent(low)} to ${percent(high)}), top-5 ${percent(result.top5)}
${videos} in the test part${seen}; learning rate ${search.chosen}, after the last epoch`;
}
