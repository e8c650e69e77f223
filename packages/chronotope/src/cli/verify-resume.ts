import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { writeDemoData } from '../demo/write-demo-data.js';
import { loadRecipe } from '../recipes/load.js';
import { verifyResume } from '../runs/verify-resume.js';
import { positiveInteger } from './options.js';
import { EXIT } from './report-error.js';
import { interruptible } from './run-command.js';

/** Few steps of every stage, with dropout and random augmentation as in the demo. */
const SHORT = [
  ...['invariant', 'distinctive', 'student'].map((stage) => `pretrain.${stage}.epochs=4`),
  ...['supervised', 'teacher', 'student'].map((stage) => `${stage}.steps=15`),
];

/** `chronotope verify-resume`. */
export function verifyResumeCommand(): Command {
  return new Command('verify-resume')
    .description('prove on this machine that a killed and resumed training ends with the same weights')
    .option('--kills <n>', 'how often the training is killed, at random moments', positiveInteger, 20)
    .option('--seed <n>', 'decides when', positiveInteger, 1)
    .option('--data <folder>', 'class folders to train on; default: a few videos of the demo')
    .option('--recipe <name or file>', 'settings; default: those of the demo with few steps')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  $ chronotope verify-resume --kills 5')
    .action(async (flags: { kills: number; seed: number; data?: string; recipe?: string; json?: boolean }) => {
      const folder = mkdtempSync(path.join(tmpdir(), 'chronotope-verify-'));
      try {
        const report = await interruptible(async (signal, progress) => {
          const data = flags.data ?? path.join(folder, 'videos');
          if (flags.data === undefined) {
            await writeDemoData(data, { trainPerClass: 2, testPerClass: 1, progress, signal });
          }
          const recipe = flags.recipe ? loadRecipe(flags.recipe) : loadRecipe('timebalance-demo', SHORT);
          const runs = path.join(folder, 'runs');
          return verifyResume({ data, recipe, folder: runs, kills: flags.kills, seed: flags.seed, progress, signal });
        });
        const { kills, models, different } = report;
        const verdict =
          different.length === 0
            ? `killed ${kills} times and resumed: all ${models} models are the same, bit for bit\n`
            : `killed ${kills} times and resumed: ${different.length} of ${models} models differ: ${different.join(', ')}\n`;
        process.stdout.write(flags.json ? `${JSON.stringify(report, null, 2)}\n` : verdict);
        if (different.length > 0) process.exitCode = EXIT.failed;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
}
