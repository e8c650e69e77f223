import path from 'node:path';
import { Command } from 'commander';
import { demoClasses } from '../demo/demo-classes.js';
import { writeDemoData } from '../demo/write-demo-data.js';
import { writeDemoSequences } from '../demo/write-demo-sequences.js';
import { loadRecipeOf } from '../recipes/load.js';
import { reportRun } from '../runs/report/report-run.js';
import { similarityAreaUnderCurve } from '../runs/similarity-report.js';
import { trainTimeBalance } from '../runs/train-timebalance.js';
import { positiveInteger } from './options.js';
import { interruptible } from './run-command.js';
import { evaluationTable } from './tables.js';

interface DemoDataFlags {
  seed: number;
  trainPerClass: number;
  testPerClass: number;
  sequences?: boolean;
}

/** `chronotope demo-data <folder>`. */
export function demoDataCommand(): Command {
  return new Command('demo-data')
    .description('make small videos of 16 classes: half told apart by looks, half by the course of time')
    .argument('<folder>', 'a new or empty folder')
    .option('--seed <n>', 'other scenes, and other videos of the same classes', positiveInteger, 1)
    .option('--train-per-class <n>', 'training videos of each class', positiveInteger, 24)
    .option('--test-per-class <n>', 'test videos of each class', positiveInteger, 15)
    .option('--sequences', 'instead, image sequences of a moving object with its boxes, in the layout of GOT-10k')
    .addHelpText(
      'after',
      '\nH.264 files of 64 x 64 pixels, 1.5 to 2.5 seconds at 15 to 30 frames a second, with a sentence about each in' +
        '\ncaptions.jsonl. Test videos are taken in scenes that no training video shows: docs/demo-data.md.' +
        '\nExamples:\n  $ chronotope demo-data ./videos --train-per-class 6 --test-per-class 2' +
        '\n  $ chronotope demo-data ./sequences --sequences',
    )
    .action(async (folder: string, { sequences, ...options }: DemoDataFlags) => {
      await interruptible((signal, progress) =>
        sequences
          ? writeDemoSequences(folder, { seed: options.seed, progress, signal })
          : writeDemoData(folder, { ...options, progress, signal }),
      );
    });
}

/** `chronotope demo`: makes the data, trains with 2 labels a class, and compares. */
export function demoCommand(): Command {
  return new Command('demo')
    .description('the whole idea in minutes: make videos, train with 2 labels a class, compare')
    .option('--out <folder>', 'where the videos and the run go', 'demo')
    .addHelpText('after', '\nTakes about 7 minutes on 2 cores; the same command continues after an interruption.')
    .action(async ({ out }: { out: string }) => {
      const data = path.join(out, 'videos');
      const run = path.join(out, 'run');
      const { evaluation, report } = await interruptible(async (signal, progress) => {
        await writeDemoData(data, { progress, signal });
        const recipe = loadRecipeOf('timebalance', 'timebalance-demo');
        const options = { data, out: run, recipe, labelsPerClass: 2, labelDraws: 3, progress, signal };
        return { evaluation: await trainTimeBalance(options), report: await reportRun(run, { progress, signal }) };
      });
      const timeClasses = demoClasses.filter(({ kind }) => kind === 'time').map(({ name }) => name);
      const area = similarityAreaUnderCurve(run, timeClasses);
      process.stdout.write(`\n${evaluationTable(evaluation!)}`);
      process.stdout.write(
        `temporal similarity tells the two kinds of class apart: area under the curve ${area.toFixed(3)}\n`,
      );
      process.stdout.write(`\nThe report, with pictures: ${report}\n`);
      process.stdout.write(`Try: npx chronotope predict ${run} ${path.join(data, '_test', timeClasses[0]!)}/*\n`);
    });
}
