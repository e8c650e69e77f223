import { Command } from 'commander';
import { compareRuns, comparisonPlan, type WrittenComparison } from '../runs/compare/compare-runs.js';
import { seconds } from './options.js';
import { interruptible, printsResults } from './run-command.js';
import { level, percent, plainTable, range } from './tables.js';

interface CompareFlags {
  stage?: string[];
  out?: string;
  unranked?: boolean;
  plan?: boolean;
  saveEvery: number;
  json?: boolean;
}

/** `chronotope compare <set or runs…>`. */
export function compareCommand(): Command {
  return new Command('compare')
    .description(
      'train a set of runs over seeds and numbers of labels, or take finished ones, and rank their classifiers',
    )
    .argument('<set or runs...>', 'a YAML file with a set of runs (docs/compare.md), or finished run folders')
    .option('--stage <names...>', 'only these classifiers, such as supervised-strong student; default: all')
    .option('--out <file>', 'the HTML page; default: comparison.html in the folder of the set')
    .option('--unranked', 'show runs with different protocols side by side, without ranks')
    .option('--plan', 'only say which runs the set asks for, and which are finished')
    .option('--save-every <seconds>', 'how much work a kill may cost; 0 saves after every step', seconds, 60)
    .option('--json', 'print the comparison as JSON')
    .addHelpText(
      'after',
      '\nThe same command goes on after an interruption. Runs are ranked only if they were tested on the same videos, with as many' +
        '\nclips and crops, and knew the same labels; otherwise it says in what they differ, and exits with 1.' +
        '\n\nExamples:\n  $ chronotope compare ablations.yaml --plan\n  $ chronotope compare ablations.yaml' +
        '\n  $ chronotope compare ./runs/one ./runs/two --stage supervised-strong student --out both.html',
    )
    .action(async (inputs: string[], { plan, json, stage, saveEvery, ...flags }: CompareFlags) => {
      if (plan) {
        if (!printsResults()) return;
        process.stdout.write(inputs.map(planTable).join('\n'));
        return;
      }
      const comparison = await interruptible((signal, progress) =>
        compareRuns(inputs, { ...flags, stages: stage, saveEverySeconds: saveEvery, signal, progress }),
      );
      if (!printsResults()) return;
      process.stdout.write(json ? `${JSON.stringify(comparison, null, 2)}\n` : comparisonTables(comparison));
      if (!json && comparison.page !== null) process.stderr.write(`\nThe page: ${comparison.page}\n`);
    });
}

function planTable(file: string): string {
  const table = plainTable(['run', 'labels', 'seed', 'pre-training', 'state', 'folder']);
  for (const { name, budget, train, isFinished } of comparisonPlan(file)) {
    const origin = train.pretrained === undefined ? 'its own' : 'taken over';
    table.push([name, budget, String(train.recipe.seed), origin, isFinished ? 'finished' : 'to do', train.out]);
  }
  return `${table}\n`;
}

/** One table for each choice of labels, the best first; a summary over all of them where there are several. */
export function comparisonTables(comparison: WrittenComparison): string {
  const { budgets, differences } = comparison;
  const tables = budgets.map((_, budget) => budgetTable(comparison, budget));
  const summary = budgets.length > 1 ? [summaryTable(comparison)] : [];
  const warning =
    differences.length > 0
      ? [`not ranked, because the runs differ in\n${differences.map((line) => `  ${line}\n`).join('')}`]
      : [];
  return `\n${[...tables, ...summary, ...warning].join('\n')}`;
}

function budgetTable({ budgets, rows, testVideos, classes, ...comparison }: WrittenComparison, budget: number): string {
  const { name, labelled } = budgets[budget]!;
  const table = plainTable(['rank', `${name}: top-1`, 'mean ± std', level(comparison), 'minus the best', 'runs']);
  const present = rows
    .flatMap(({ title, cells }) => (cells[budget] ? [{ title, ...cells[budget] }] : []))
    .sort((a, b) => b.top1.value - a.top1.value);
  for (const { title, rank, top1, deviation, behindBest, values } of present) {
    const behind =
      behindBest === null ? '' : `${points(behindBest.value)}, ${points(behindBest.low)} to ${points(behindBest.high)}`;
    table.push([
      String(rank ?? '-'),
      title,
      meanAndDeviation(top1.value, deviation),
      range(top1),
      behind,
      String(values.length),
    ]);
  }
  return `${table}\n${Math.round(labelled)} labelled videos, ${testVideos} test videos, ${classes.length} classes (chance ${percent(1 / classes.length)})\n`;
}

/** The label-efficiency curve as a table. */
function summaryTable({ budgets, rows }: WrittenComparison): string {
  const table = plainTable([
    'top-1 with labelled videos',
    ...budgets.map(({ labelled }) => String(Math.round(labelled))),
  ]);
  for (const { title, cells } of rows) {
    table.push([title, ...cells.map((cell) => (cell ? meanAndDeviation(cell.top1.value, cell.deviation) : '-'))]);
  }
  return `${table}\n`;
}

function meanAndDeviation(mean: number, deviation: number | null): string {
  return `${percent(mean)}${deviation === null ? '' : ` ± ${(100 * deviation).toFixed(1)}`}`;
}

function points(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(100 * value).toFixed(1)}`;
}
