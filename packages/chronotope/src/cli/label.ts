import { Command, InvalidArgumentError, Option } from 'commander';
import { type Concept, conceptsOfNames, readConcepts } from '../language/concept-file.js';
import { type Proposal, proposeLabels, writeProposals } from '../runs/label-by-words.js';
import { clipsOption, type LanguageFlags, MODEL_ARGUMENT, storeOption, templatesOption } from './language-options.js';
import { deviceOption, positiveInteger, stageOption } from './options.js';
import { interruptible } from './run-command.js';

interface LabelFlags extends LanguageFlags {
  model: string;
  words?: string;
  concepts?: string;
  templates: readonly string[];
  confidence: number;
  perClass?: number;
  out: string;
}

/** `chronotope label <data> --words <names>`. */
export function labelCommand(): Command {
  return new Command('label')
    .description('propose labels for videos from the names of classes alone')
    .argument('<data>', 'a folder of videos, with classes or without, or a manifest or list')
    .requiredOption('--model <run or file>', MODEL_ARGUMENT)
    .addOption(new Option('--words <names>', 'the classes, separated by commas').conflicts('concepts'))
    .option('--concepts <list or file>', 'the classes from a list such as ucf101, or from a file')
    .requiredOption('--out <file>', 'a CSV file path,label,split,confidence, which train timebalance takes as --data')
    .addOption(templatesOption())
    .option('--confidence <p>', 'leave videos below this probability unlabelled', probability, 0)
    .option('--per-class <n>', 'label only the n most confident videos of each class', positiveInteger)
    .addOption(stageOption())
    .addOption(clipsOption())
    .addOption(storeOption())
    .addOption(deviceOption())
    .option('--json', 'print the proposals as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope label ./videos --words "jumping,running,sitting" --model ViT-B-16.pt --out labels.csv' +
        '\n  $ chronotope train timebalance --data labels.csv --out ./runs/no-manual-labels',
    )
    .action(async (data: string, flags: LabelFlags, command: Command) => {
      const { words, concepts: list, out, model, confidence, json, ...options } = flags;
      const concepts = classesOf(words, list);
      if (concepts === null) return command.error('error: name the classes, with --words or with --concepts');
      const { proposals, test } = await interruptible((signal, progress) =>
        proposeLabels(model, data, { ...options, concepts, leastConfidence: confidence, signal, progress }),
      );
      writeProposals(out, proposals, test);
      if (json) process.stdout.write(`${JSON.stringify(proposals.map(plain), null, 2)}\n`);
      process.stderr.write(`${out}: ${summary(proposals, concepts)}\n${warning(proposals, concepts)}`);
    });
}

function classesOf(words: string | undefined, list: string | undefined): Concept[] | null {
  if (list !== undefined) return readConcepts(list);
  return words === undefined ? null : conceptsOfNames(words.split(','), '--words');
}

function summary(proposals: readonly Proposal[], concepts: readonly Concept[]): string {
  const labelled = proposals.filter(({ label }) => label !== null);
  const counts = concepts.map(({ name }) => `${name} ${labelled.filter(({ label }) => label === name).length}`);
  return `labels for ${labelled.length} of ${proposals.length} videos (${counts.join(', ')})`;
}

function warning(proposals: readonly Proposal[], concepts: readonly Concept[]): string {
  const without = concepts.filter(({ name }) => proposals.every(({ label }) => label !== name));
  if (without.length === 0) return '';
  const names = without.map(({ name }) => name).join(', ');
  return `no video seems to show ${names}: training needs a label of every class, so leave it out or label some by hand\n`;
}

function plain({ entry, label, confidence }: Proposal): { path: string; label: string | null; confidence: number } {
  return { path: entry.path, label, confidence };
}

function probability(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidArgumentError('expected a number from 0 to 1.');
  return value;
}
