import { Command, Option } from 'commander';
import { FEATURE_PROTOCOLS, type FeatureProtocol } from '../evaluation/feature-protocols.js';
import { FEATURE_KINDS, type FeatureKind } from '../evaluation/features.js';
import { CLIP_AVERAGES, type ClipAverage } from '../evaluation/video-level.js';
import type { FineTuningLength } from '../methods/fine-tuning.js';
import { type ClassifierStage, isPretraining, type NetworkStage } from '../methods/timebalance/stages.js';
import type { DeviceChoice } from '../runs/device.js';
import { evaluateRun } from '../runs/evaluate.js';
import { evaluateFeatures } from '../runs/evaluate-features.js';
import { evaluateFineTuned } from '../runs/evaluate-fine-tune.js';
import { LABEL_CHOICES, type LabelChoice } from '../runs/training-labels.js';
import { calibrationTable, comparisonTable, featureTable, fineTuneTable } from './evaluation-tables.js';
import {
  checkpointOption,
  cropsOption,
  deviceOption,
  notNegative,
  positiveInteger,
  positiveIntegers,
  positiveNumber,
} from './options.js';
import { interruptible } from './run-command.js';
import { classTable, evaluationTable } from './tables.js';

interface EvaluateFlags {
  protocol: 'video' | FeatureProtocol | 'fine-tune';
  data?: string;
  stage?: string[];
  checkpoint?: string;
  clips?: number;
  crops: 1 | 3;
  average: ClipAverage;
  features: FeatureKind;
  labels: LabelChoice;
  k?: number[];
  temperature: number;
  steps?: number;
  epochs?: number;
  batch?: number;
  learningRate?: number;
  backboneFactor?: number;
  weightDecay?: number;
  device: DeviceChoice;
  json?: boolean;
}

/** `chronotope evaluate <run>`. */
export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('test the classifiers of a run, or the features of its networks')
    .argument('<run>', 'a run folder')
    .addOption(
      new Option(
        '--protocol <name>',
        'what to measure: classifiers, frozen features in one of four ways, or fine-tuning',
      )
        .choices(['video', ...FEATURE_PROTOCOLS, 'fine-tune'])
        .default('video'),
    )
    .option(
      '--data <folder or list>',
      'class folders, a manifest or a list to test on; default: the test videos of the run',
    )
    .option(
      '--stage <names...>',
      'only these networks, such as student; default: all, and for fine-tune those trained without labels',
    )
    .addOption(checkpointOption())
    .option('--clips <n>', "clips of each video; default: the recipe's", positiveInteger)
    .addOption(cropsOption())
    .addOption(
      new Option('--average <what>', 'video, fine-tune: what is averaged over clips and crops')
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
      new Option('--labels <which>', 'all but video: all labels of the training videos, or those a draw knew')
        .choices([...LABEL_CHOICES])
        .default('all'),
    )
    .option('--k <list>', 'knn, retrieval: numbers of neighbours, such as 1,5,20', positiveIntegers)
    .option('--temperature <t>', "knn: a neighbour's vote is exp(cosine / t)", positiveNumber, 0.07)
    .addOption(
      new Option('--steps <n>', "fine-tune: optimiser steps; default, as of the rest: the method's own")
        .argParser(positiveInteger)
        .conflicts('epochs'),
    )
    .option('--epochs <n>', 'fine-tune: passes over the labelled videos, instead of steps', positiveInteger)
    .option('--batch <n>', 'fine-tune: videos in a step', positiveInteger)
    .option('--learning-rate <rate>', 'fine-tune: of the new linear layer', positiveNumber)
    .option('--backbone-factor <factor>', 'fine-tune: learning rate of the backbone relative to that', positiveNumber)
    .option('--weight-decay <decay>', 'fine-tune: of AdamW, decoupled from the gradients', notNegative)
    .addOption(deviceOption('where the networks compute'))
    .option('--json', 'print everything, with confusion matrices and calibration, as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope evaluate ./runs/mine --clips 10 --crops 3' +
        '\n  $ chronotope evaluate ./runs/mine --protocol knn --stage pretrain-invariant pretrain-distinctive' +
        '\n  $ chronotope evaluate ./runs/mine --protocol retrieval --features slices --json' +
        '\n  $ chronotope evaluate ./runs/lss --protocol fine-tune --stage start teacher --epochs 50',
    )
    .action(async (run: string, { protocol, ...flags }: EvaluateFlags, command: Command) => {
      process.stdout.write(await evaluate(run, protocol, flags, command));
    });
}

type OtherFlags = Omit<EvaluateFlags, 'protocol'>;

function evaluate(
  run: string,
  protocol: EvaluateFlags['protocol'],
  flags: OtherFlags,
  command: Command,
): Promise<string> {
  if (protocol === 'video') return testClassifiers(run, flags, command);
  return protocol === 'fine-tune' ? testFineTuning(run, flags) : testFeatures(run, protocol, flags);
}

async function testClassifiers(run: string, flags: OtherFlags, command: Command): Promise<string> {
  const stages = flags.stage?.map((stage) => stage as NetworkStage);
  const noClassifier = stages?.find((stage) => isPretraining(stage));
  if (noClassifier !== undefined) {
    command.error(
      `error: "${noClassifier}" is no classifier: add --protocol knn, linear, linear-sgd, retrieval or fine-tune`,
      {
        code: 'commander.invalidArgument',
      },
    );
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

async function testFineTuning(run: string, flags: OtherFlags): Promise<string> {
  const { steps, epochs, batch, learningRate, backboneFactor, weightDecay } = flags;
  const length = lengthOf(steps, epochs);
  const settings = withoutGaps({ length, batch, learningRate, backboneFactor, weightDecay });
  const evaluation = await interruptible((signal, progress) =>
    evaluateFineTuned(run, { ...flags, settings, stages: flags.stage, signal, progress }),
  );
  return flags.json ? `${JSON.stringify(evaluation, null, 2)}\n` : `\n${fineTuneTable(evaluation)}`;
}

function lengthOf(steps?: number, epochs?: number): FineTuningLength | undefined {
  if (steps !== undefined) return { steps };
  return epochs === undefined ? undefined : { epochs, leastSteps: 1 };
}

/** Only what is given: other settings keep the method's values. */
function withoutGaps<Settings extends object>(settings: Settings): Partial<Settings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Partial<Settings>;
}
