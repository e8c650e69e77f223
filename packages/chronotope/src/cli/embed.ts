import { Command, Option } from 'commander';
import { FEATURE_KINDS, type FeatureKind } from '../evaluation/features.js';
import type { DeviceChoice } from '../runs/device.js';
import { embedVideos } from '../runs/embed.js';
import { checkpointOption, cropsOption, deviceOption, positiveInteger, stageOption } from './options.js';
import { interruptible } from './run-command.js';

interface EmbedFlags {
  stage?: string;
  draw: number;
  checkpoint?: string;
  out: string;
  clips?: number;
  crops: 1 | 3;
  features: FeatureKind;
  device: DeviceChoice;
  json?: boolean;
}

/** `chronotope embed <run> <video or folder…>`. */
export function embedCommand(): Command {
  return new Command('embed')
    .description('write the features that a network of a run gives videos')
    .argument('<run>', 'a run folder')
    .argument('<data...>', 'video files, or folders and lists of videos, with classes or without')
    .requiredOption('--out <file>', 'a safetensors file: the tensor "features", a row a video, with ids as metadata')
    .addOption(stageOption())
    .option('--draw <n>', 'the network of this label draw', positiveInteger, 1)
    .addOption(checkpointOption())
    .option('--clips <n>', "clips of each video to average over; default: the recipe's", positiveInteger)
    .addOption(cropsOption())
    .addOption(
      new Option('--features <kind>', 'averaged over time, or kept for each slice of it')
        .choices([...FEATURE_KINDS])
        .default('pooled'),
    )
    .addOption(deviceOption())
    .option('--json', 'print what was written as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope embed ./runs/mine ./videos --stage pretrain-student --out features.safetensors' +
        '\n  $ chronotope embed ./runs/mine clip1.mp4 clip2.mp4 --out two.safetensors',
    )
    .action(async (run: string, data: string[], { json, draw, ...flags }: EmbedFlags) => {
      const written = await interruptible((signal, progress) =>
        embedVideos(run, data, { ...flags, draw: draw - 1, signal, progress }),
      );
      if (json) process.stdout.write(`${JSON.stringify(written, null, 2)}\n`);
      process.stderr.write(`${flags.out}: ${written.videos} videos, ${written.dimensions} numbers each\n`);
    });
}
