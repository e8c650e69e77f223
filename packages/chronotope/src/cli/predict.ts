import { Command, Option } from 'commander';
import { type ClassifierStage, isPretraining, KNOWN_STAGES } from '../methods/timebalance/stages.js';
import type { DeviceChoice } from '../runs/device.js';
import { predictFiles } from '../runs/predict.js';
import { deviceOption, positiveInteger } from './options.js';
import { EXIT } from './report-error.js';
import { interruptible } from './run-command.js';
import { predictionTable } from './tables.js';

interface PredictFlags {
  json?: boolean;
  top: number;
  model: ClassifierStage;
  device: DeviceChoice;
}

/** `chronotope predict <run> <file…>`; exits with 1 when a file could not be used. */
export function predictCommand(): Command {
  return new Command('predict')
    .description('recognise the action in video files')
    .argument('<run>', 'a run folder')
    .argument('<files...>', 'video files')
    .option('--top <n>', 'how many classes to show', positiveInteger, 3)
    .addOption(modelOption())
    .addOption(deviceOption())
    .option('--json', 'print all classes with their confidences as JSON')
    .addHelpText(
      'after',
      '\nThe exit code is 1 when a file could not be used; the others are recognised all the same.' +
        '\n\nExamples:\n  $ chronotope predict ./runs/mine new.mp4 other.mp4' +
        "\n  $ chronotope predict ./runs/mine new/*.mp4 --json | jq '.[0]'",
    )
    .action(async (run: string, files: string[], { json, top, model, device }: PredictFlags) => {
      const predictions = await interruptible((signal) => predictFiles(run, files, { stage: model, device, signal }));
      process.stdout.write(json ? `${JSON.stringify(predictions, null, 2)}\n` : predictionTable(predictions, top));
      if (predictions.some((prediction) => 'error' in prediction)) process.exitCode = EXIT.failed;
    });
}

/** The choices are for completion alone: further students have names of their own, and the run knows which it has. */
function modelOption(): Option {
  return new Option('--model <stage>', 'which classifier, such as student or student-<name>')
    .choices(KNOWN_STAGES.filter((stage) => !isPretraining(stage)))
    .argParser((stage) => stage)
    .default('student');
}
