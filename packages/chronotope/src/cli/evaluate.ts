import { Command, Option } from 'commander';
import { FEATURE_PROTOCOLS, type FeatureProtocol } from '../evaluation/feature-protocols.js';
import { FEATURE_KINDS, type FeatureKind } from '../evaluation/features.js';
import { CLIP_AVERAGES, type ClipAverage } from '../evaluation/video-level.js';
import { type ClassifierStage, isPretraining, type NetworkStage } from '../methods/timebalance/stages.js';
import type { DeviceChoice } from '../runs/device.js';
import { evaluateRun } from '../runs/evaluate.js';
import { evaluateFeatures, LABEL_CHOICES, type LabelChoice } from '../runs/evaluate-features.js';
import { calibrationTable, comparisonTable, featureTable } from './evaluation-tables.js';
import { cropsOption, deviceOption, positiveInteger, positiveIntegers, positiveNumber } from './options.js';
import { interruptible } from './run-command.js';
import { classTable, evaluationTable } from './tables.js';

interface EvaluateFlags {
  protocol: 'video' | FeatureProtocol;
  data?: string;
  stage?: string[];
  clips?: number;
  crops: 1 | 3;
  average: ClipAverage;
  features: FeatureKind;
  labels: LabelChoice;
  k?: number[];
  temperature: number;
  device: DeviceChoice;
  json?: boolean;
}

/** `chronotope evaluate <run>`. */
export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('test the classifiers of a run, or the features of its networks')
    .argument('<run>', 'a run folder')
    .addOption(
      new Option('--protocol <name>', 'what to measure: classifiers, or frozen features by one of four ways')
        .choices(['video', ...FEATURE_PROTOCOLS])
        .default('video'),
    )
    .option(
      '--data <folder or list>',
      'class folders, a manifest or a list to test on; default: the test videos of the run',
    )
    .option('--stage <names...>', 'only these networks, such as student; default: all')
    .option('--clips <n>', "clips of each video; default: the recipe's", positiveInteger)
    .addOption(cropsOption())
    .addOption(
      new Option('--average <what>', 'video: what is averaged over clips and crops')
        .choices([...CLIP_AVERAGES])
        .default('probabilities'),
    )
    .addOption(
      new Option(
        '--features <kind>',
        'knn, linear, retrieval: features averaged over time, or kept for each slice of it',
      )
        .choices([...FEATURE_KINDS])
        .default('pooled'),
    )
    .addOption(
      new Option('--labels <which>', 'knn, linear, retrieval: all labels of the training videos, or those a draw knew')
        .choices([...LABEL_CHOICES])
        .default('all'),
    )
    .option('--k <list>', 'knn, retrieval: numbers of neighbours, such as 1,5,20', positiveIntegers)
    .option('--temperature <t>', "knn: a neighbour's vote is exp(cosine / t)", positiveNumber, 0.07)
    .addOption(deviceOption('where the networks compute'))
    .option('--json', 'print everything, with confusion matrices and calibration, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope evaluate ./runs/mine --clips 10 --crops 3' +
        '\n  $ chronotope evaluate ./runs/mine --protocol knn --stage pretrain-invariant pretrain-distinctive' +
        '\n  $ chronotope evaluate ./runs/mine --protocol retrieval --features slices --json',
    )
    .action(async (run: string, { protocol, ...flags }: EvaluateFlags, command: Command) => {
      const text = await (protocol === 'video'
        ? testClassifiers(run, flags, command)
        : testFeatures(run, protocol, flags));
      process.stdout.write(text);
    });
}

type OtherFlags = Omit<EvaluateFlags, 'protocol'>;

async function testClassifiers(run: string, flags: OtherFlags, command: Command): Promise<string> {
  const stages = flags.stage?.map((stage) => stage as NetworkStage);
  const noClassifier = stages?.find((stage) => isPretraining(stage));
  if (noClassifier !== undefined) {
    command.error(`error: "${noClassifier}" is no classifier: add --protocol knn, linear, linear-sgd or retrieval`, {
      code: 'commander.invalidArgument',
    });
  }
  const evaluation = await interruptible((signal, progress) =>
    evaluateRun(run, { ...flags, stages: stages as ClassifierStage[] | undefined, signal, progress }),
  );
  if (flags.json) return `${JSON.stringify(evaluation, null, 2)}\n`;
  const tables = [evaluationTable, comparisonTable, calibrationTable, classTable];
  return `\n${tables
    .map((table) => table(evaluation))
    .filter(Boolean)
    .join('\n')}`;
}

async function testFeatures(run: string, protocol: FeatureProtocol, flags: OtherFlags): Promise<string> {
  const evaluation = await interruptible((signal, progress) =>
    evaluateFeatures(run, { ...flags, protocol, stages: flags.stage, signal, progress }),
  );
  return flags.json ? `${JSON.stringify(evaluation, null, 2)}\n` : `\n${featureTable(evaluation)}`;
}
