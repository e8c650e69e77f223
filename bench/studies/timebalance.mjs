// The study of docs/results.md on TimeBalance: the student against its teachers, supervised and semi-supervised baselines and
// its own ablations, over seeds and numbers of labels, on the demo's videos and on real ones. It writes sets of runs for
// `chronotope compare`, so what is finished is kept, and a finished study only prints its tables.
//
//   node bench/studies/timebalance.mjs <out folder> [--seeds 1,2,3] [--parts demo,egogestar,fight-surv,weizmann4]
//       [--data <shared/data>]

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { comparisonTables } from '../../packages/chronotope/dist/cli/compare.js';
import { terminalProgress } from '../../packages/chronotope/dist/cli/terminal-progress.js';
import { demoClasses } from '../../packages/chronotope/dist/demo/demo-classes.js';
import { compareRuns } from '../../packages/chronotope/dist/index.js';
import { similarityAreaUnderCurve } from '../../packages/chronotope/dist/runs/similarity-report.js';
import { SHARED_DATA, StudyData } from './study-data.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    parts: { type: 'string', default: 'demo,egogestar,fight-surv,weizmann4' },
    data: { type: 'string', default: SHARED_DATA },
  },
});
const [out] = positionals;
if (out === undefined) {
  console.error(
    'usage: node bench/studies/timebalance.mjs <out folder> [--seeds 1,2,3] [--parts demo,…] [--data <shared/data>]',
  );
  process.exit(2);
}
const seeds = flags.seeds.split(',').map(Number);
mkdirSync(out, { recursive: true });
const data = new StudyData(path.resolve(out), flags.data);

/** What the preset `timebalance-best` changes of `timebalance-small`, for recipes of other sizes. */
const BEST = ['student.teacherTemperature=0.5', 'student.teacherBalance=labelled'];
const epochs = (count) =>
  ['invariant', 'distinctive', 'student'].map((pretext) => `pretrain.${pretext}.epochs=${count}`);
const ONE_THREAD = 'training.threads=1';
/** A gesture or a stroke is one short video: its whole length is the clip. */
const WHOLE_VIDEO = ['clips.virtualFrames=64', 'clips.stride=6', 'clips.globalStride=8'];
/** Where order carries the class: a student of the distinctive teacher alone, from that teacher's pre-training. */
const ORDER_ALONE = ['students.order.student.start=distinctive', 'students.order.student.teacherPair=[distinctive]'];
const AVERAGE = 'students.average.similarity.map=constant';
/** Students of one run share their teachers: each leaves out one thing. */
const ABLATIONS = [
  'students.unbalanced.student.teacherBalance=none',
  'students.unsharpened.student.teacherTemperature=1',
  AVERAGE,
  'students.inverted.similarity.map=inverted',
];

const PARTS = {
  demo: () => [
    {
      title: 'demo',
      set: {
        data: data.demo('videos'),
        recipe: 'timebalance-demo',
        labels: [2],
        labelDraws: 3,
        set: [ONE_THREAD],
        runs: [
          {
            name: 'demo',
            set: [
              'baselines=[supervised, supervised-strong, pre-trained]',
              ...[AVERAGE, 'students.inverted.similarity.map=inverted'],
            ],
          },
          {
            name: 'best',
            set: [
              ...[...epochs(60), ...BEST, ...ABLATIONS],
              ...['baselines=[pre-trained, fixmatch]', 'semiSupervised.start=student'],
            ],
          },
        ],
      },
    },
  ],
  egogestar: () => [
    {
      title: 'egogestar',
      set: realSet(data.real('egogestar', 'egogestar'), {
        budgets: [1, 2, 5],
        settings: [...WHOLE_VIDEO, ...epochs(60), AVERAGE, ...ORDER_ALONE],
      }),
    },
  ],
  'fight-surv': () => folds('fight-surv', { budgets: [6, 24], settings: epochs(30) }),
  weizmann4: () => folds('weizmann4', { settings: epochs(120) }),
};

for (const part of flags.parts.split(',')) {
  const all = [];
  for (const { title, set } of PARTS[part]()) all.push({ title, comparison: await compared(title, set) });
  for (const { title, comparison } of all) {
    console.log(`\n## ${title}, seeds ${seeds.join(' ')}\n${comparisonTables(comparison)}`);
    for (const table of pairedTables(title, comparison)) console.log(table);
    if (part === 'demo') kinds(comparison);
  }
  if (all.length > 1) meanOverFolds(part, all);
}

/** Runs of one real data set, with and without what the preset changes, on the same teachers. */
function realSet(folder, { budgets, settings }) {
  return {
    data: budgets === undefined ? folder : path.join(folder, 'videos'),
    recipe: 'timebalance-small',
    labels: budgets?.map((budget) => ({ name: `labels-${budget}`, file: path.join(folder, `labels-${budget}.csv`) })),
    set: [ONE_THREAD, ...settings],
    runs: [
      {
        name: 'small',
        set: [
          'baselines=[supervised, supervised-strong, pre-trained]',
          ...BEST.map((change) => `students.best.${change}`),
        ],
      },
    ],
  };
}

function folds(name, options) {
  return ['', '-2', '-3'].map((suffix) => ({
    title: `${name}${suffix}`,
    set: realSet(data.real(`${name}${suffix}`, name), options),
  }));
}

async function compared(title, set) {
  const file = path.join(out, `${title}-${seeds.join('-')}.yaml`);
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ ...set, out: path.resolve(out, 'runs', title), seeds }, null, 1));
  return compareRuns([file], { progress: terminalProgress() });
}

/** The student against every other row, on the same videos. */
function pairedTables(title, { rows, budgets }) {
  const students = rows.filter(({ stage }) => stage === 'student' || stage === 'student-best');
  return students.flatMap((student) =>
    budgets.map((budget, column) => {
      const lines = rows
        .filter((row) => row !== student && row.cells[column] !== null)
        .map((row) => `| ${row.title} | ${differences(student.cells[column], row.cells[column])} |`);
      return `\n${title}, ${budget.name}: ${student.title} minus\n\n${lines.join('\n')}`;
    }),
  );
}

/** Of each seed and label draw. */
function differences({ values }, other) {
  const each = values.map((value, k) => 100 * (value - other.values[k]));
  const mean = each.reduce((sum, one) => sum + one, 0) / each.length;
  return `${mean.toFixed(1)} | ${each.map((one) => one.toFixed(1)).join(' ')}`;
}

/** Which teacher is better on which kind of class, and whether the scores tell the kinds apart. */
function kinds({ runs }) {
  const isChange = (name) => demoClasses.find((one) => one.name === name).kind === 'time';
  const changing = demoClasses.filter(({ kind }) => kind === 'time').map(({ name }) => name);
  const evaluations = runs.map(({ name, seed, folder }) => ({ name, seed, folder, ...evaluationOf(folder) }));
  console.log('\n| run | seed | area under the curve |\n|---|---|---|');
  for (const { name, seed, folder } of evaluations) {
    console.log(`| ${name} | ${seed} | ${similarityAreaUnderCurve(folder, changing).toFixed(3)} |`);
  }
  console.log('\n| run | classifier | appearance | time |\n|---|---|---|---|');
  for (const name of new Set(evaluations.map((one) => one.name))) {
    const own = evaluations.filter((one) => one.name === name);
    for (const { stage } of own[0].stages) {
      const classes = own.flatMap(({ stages }) =>
        stages.find((one) => one.stage === stage).draws.flatMap(({ perClass }) => perClass),
      );
      const mean = (wanted) => {
        const some = classes.filter((one) => isChange(one.name) === wanted);
        return ((100 * some.reduce((sum, { top1 }) => sum + top1, 0)) / some.length).toFixed(1);
      };
      console.log(`| ${name} | ${stage} | ${mean(false)} | ${mean(true)} |`);
    }
  }
}

function evaluationOf(folder) {
  return JSON.parse(readFileSync(path.join(folder, 'evaluation.json'), 'utf8'));
}

function meanOverFolds(part, all) {
  console.log(`\n${part}, mean over ${all.length} folds and the seeds; standard deviation over both\n`);
  const [{ comparison: first }] = all;
  console.log(
    `| | ${first.budgets.map(({ name }) => name).join(' | ')} |\n|---|${first.budgets.map(() => '---|').join('')}`,
  );
  for (const [row, { title }] of first.rows.entries()) {
    const cells = first.budgets.map((_, column) => {
      const values = all.flatMap(({ comparison }) => comparison.rows[row].cells[column].values);
      const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
      const square = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (values.length - 1);
      return `${(100 * mean).toFixed(1)} ± ${(100 * Math.sqrt(square)).toFixed(1)}`;
    });
    console.log(`| ${title} | ${cells.join(' | ')} |`);
  }
}
