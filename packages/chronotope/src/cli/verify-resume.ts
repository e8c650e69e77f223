import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { groupBy } from '../data/group-by.js';
import { writeDemoData } from '../demo/write-demo-data.js';
import { loadRecipe } from '../recipes/load.js';
import { type ResumeReport, verifyResume } from '../runs/verify-resume.js';
import { positiveInteger, setOption } from './options.js';
import { EXIT } from './report-error.js';
import { interruptible } from './run-command.js';

/** Few steps of every stage, with dropout and random augmentation as in the demo. */
const SHORT = [
  ...['invariant', 'distinctive', 'student'].map((stage) => `pretrain.${stage}.epochs=4`),
  ...['supervised', 'teacher', 'student'].map((stage) => `${stage}.steps=15`),
];

interface VerifyResumeFlags {
  kills: number;
  seed: number;
  data?: string;
  recipe?: string;
  set: string[];
  json?: boolean;
}

/** `chronotope verify-resume`. */
export function verifyResumeCommand(): Command {
  return new Command('verify-resume')
    .description('prove on this machine that a killed and resumed training ends with the same weights')
    .option('--kills <n>', 'how often the training is killed, at random moments', positiveInteger, 20)
    .option('--seed <n>', 'decides when', positiveInteger, 1)
    .option('--data <folder>', 'class folders to train on; default: a few videos of the demo')
    .option('--recipe <name or file>', 'settings; default: those of the demo with few steps')
    .addOption(setOption('training.ema.decay=0.9'))
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ chronotope verify-resume --kills 5' +
        '\n  $ chronotope verify-resume --set training.accumulate=2 --set training.ema.decay=0.9' +
        '\n  $ chronotope verify-resume --recipe ccl-small --set pretrain.batch=2 --set pretrain.epochs=6' +
        '\n  $ chronotope verify-resume --data ./videos --recipe mine.yaml',
    )
    .action(async (flags: VerifyResumeFlags) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'chronotope-verify-'));
      try {
        const report = await interruptible(async (signal, progress) => {
          const data = flags.data ?? path.join(folder, 'videos');
          if (flags.data === undefined) {
            await writeDemoData(data, { trainPerClass: 3, testPerClass: 1, progress, signal });
          }
          const recipe = flags.recipe
            ? loadRecipe(flags.recipe, flags.set)
            : loadRecipe('timebalance-demo', [...SHORT, ...flags.set]);
          const drawsLabels = flags.data === undefined && recipe.method === 'timebalance';
          const trainArguments = drawsLabels ? ['--labels-per-class', '2'] : [];
          const runs = path.join(folder, 'runs');
          return verifyResume({
            data,
            recipe,
            trainArguments,
            folder: runs,
            kills: flags.kills,
            seed: flags.seed,
            progress,
            signal,
          });
        });
        process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : verdict(report));
        if (report.different.length > 0) process.exitCode = EXIT.failed;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
}

function verdict({ kills, models, different }: ResumeReport): string {
  const stages = groupBy(kills, (stage) => (stage === null ? 'between stages' : `in ${stage}`));
  const places = [...stages].map(([stage, hits]) => `  ${String(hits.length).padStart(2)} ${stage}\n`);
  const outcome =
    different.length === 0
      ? `all ${models} models are the same, bit for bit`
      : `not the same: ${different.join(', ')} (of ${models} models of a run)`;
  return `killed ${kills.length} times\n${places.join('')}and resumed: ${outcome}\n`;
}
