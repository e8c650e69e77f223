// The study of docs/results.md on CCL: the loss with cycles, the loss within a video alone, MoCo v2 and random weights, with
// equal budgets, by a linear probe and by k-NN; and tracking on CCL's features against random ones. What is finished is
// kept, so that a study that was stopped goes on, and a finished one only prints its tables.
//
//   node bench/studies/ccl.mjs <out folder> [--seeds 1,2,3] [--parts demo,demo-long,egogestar,weizmann4,tracking]
//       [--data <shared/data>]

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  evaluateFeatures,
  evaluateTrackers,
  loadRecipeOf,
  trainCcl,
  trainTracker,
} from '../../packages/chronotope/dist/index.js';
import { SHARED_DATA, StudyData } from './study-data.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    parts: { type: 'string', default: 'demo,demo-long,egogestar,weizmann4,tracking' },
    data: { type: 'string', default: SHARED_DATA },
  },
});
const [out] = positionals;
if (out === undefined) {
  console.error(
    'usage: node bench/studies/ccl.mjs <out folder> [--seeds 1,2,3] [--parts demo,…] [--data <shared/data>]',
  );
  process.exit(2);
}
const seeds = flags.seeds.split(',').map(Number);
const data = new StudyData(out, flags.data);

/** What the rows of a table change; random weights take one step that changes nothing. */
const OBJECTIVES = {
  'CCL: intra + 0.1 cycle': ['objective.kind=ccl'],
  'intra only': ['objective.kind=intra'],
  'MoCo v2': ['objective.kind=moco'],
  'random weights': ['objective.kind=moco', 'pretrain.epochs=1', 'pretrain.learningRate=1e-12'],
};

/** The columns: a protocol and the name of its measure. Neighbours are few where labels are. */
const measuresOf = ({ neighbours = 5 }) => ({
  'linear probe': ['linear', 'linear'],
  [`k-NN, k = ${neighbours}`]: ['knn', `k = ${neighbours}`],
});

/** Each gives the data of a seed and what the recipe changes. */
const PARTS = {
  demo: {
    videos: () => data.demo('demo', '--train-per-class', '20'),
    settings: [],
  },
  // Five times as long, with a key encoder that is slower by about as much: what more training is worth to each objective.
  'demo-long': {
    videos: () => PARTS.demo.videos(),
    settings: ['pretrain.epochs=300', 'pretrain.keyMomentum=0.996'],
  },
  egogestar: {
    videos: () => path.join(data.real('egogestar', 'egogestar'), 'videos'),
    settings: [],
  },
  // Each seed is a published round: other persons to test on, and one other person with labels for the probe.
  weizmann4: {
    neighbours: 1,
    videos: (seed) => data.real(seed === 1 ? 'weizmann4' : `weizmann4-${seed}`, 'weizmann4'),
    settings: [
      ...['frames.shortSide=64', 'frames.fps=null', 'inputSize=48', 'pretrain.batch=4', 'pretrain.epochs=100'],
      ...['queue.intra=12', 'queue.cycle=16', 'queue.candidates=4'],
    ],
  },
};

for (const part of flags.parts.split(',')) {
  if (part === 'tracking') await tracking();
  else await representations(part);
}

async function representations(part) {
  const results = Object.fromEntries(Object.keys(OBJECTIVES).map((title) => [title, []]));
  // Seed by seed, so that a study that is stopped early has all objectives of some seeds.
  for (const seed of seeds) {
    for (const title of Object.keys(OBJECTIVES)) results[title].push(await representation(part, title, seed));
  }
  const columns = Object.keys(measuresOf(PARTS[part]));
  const rows = Object.entries(results).map(([title, ofSeeds]) => [
    title,
    ...columns.flatMap((name) => list(ofSeeds.map((one) => one[name]))),
    ofSeeds.map(({ returned }) => returned).join(' '),
  ]);
  print(part, ['', ...columns.flatMap((name) => [name, 'mean']), 'found / returned, %'], rows);
}

async function representation(part, title, seed) {
  const { videos: videosOf, settings, neighbours = 5 } = PARTS[part];
  const videos = videosOf(seed);
  const folder = path.join(out, 'runs', part, `${title.replaceAll(/[^a-zA-Z]+/g, '-')}-${seed}`);
  const overrides = [...settings, ...OBJECTIVES[title], `seed=${seed}`, 'training.threads=1'];
  const recipe = loadRecipeOf('ccl', 'ccl-small', overrides);
  const frames = path.join(out, 'frames', path.relative(out, videos).replaceAll(path.sep, '-'));
  await trainCcl({ data: videos, out: folder, recipe, frames, workers: 0 });
  const result = {};
  for (const [name, [protocol, measure]] of Object.entries(measuresOf(PARTS[part]))) {
    const file = path.join(folder, `evaluation-${protocol}.json`);
    if (!existsSync(file)) await evaluateFeatures(folder, { protocol, k: [neighbours] });
    const { measures } = JSON.parse(readFileSync(file, 'utf8')).stages[0];
    result[name] = 100 * measures.find((one) => one.name === measure).value;
  }
  result.returned = lastShares(path.join(folder, 'stages', 'pretrain', 'metrics.jsonl'));
  console.error(`${part}, ${title}, seed ${seed}: ${JSON.stringify(result)}`);
  return result;
}

/** Share of the queries whose positive comes first, within the video and on the way back, over the last 100 steps. */
function lastShares(file) {
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(-10);
  const metrics = lines.map((line) => JSON.parse(line).metrics);
  const mean = (name) => {
    const values = metrics.map((one) => one[name]).filter((value) => value !== undefined);
    return values.length === 0 ? '–' : (values.reduce((sum, value) => sum + 100 * value, 0) / values.length).toFixed(0);
  };
  return `${mean('found')}/${mean('returned')}`;
}

/** Trackers on frozen features of CCL, learnt from the frames of the training sequences, and on random ones. */
async function tracking() {
  const sequences = data.demo('sequences', '--sequences');
  for (const seed of seeds) await trackingEncoder(sequences, seed);
  await trackers('generated sequences', sequences, []);
  // One real sequence to train the two small convolutions on and one to test on; the encoders are the same.
  const settings = ['pairs.perSequence=64', 'pairs.batch=8'];
  await trackers('OTB: trained on Crossing, tested on DragonBaby', data.real('tracking', 'tracking'), settings);
}

async function trackers(title, videos, settings) {
  const names = { random: 'random, frozen', learnt: 'CCL, frozen' };
  const scores = { random: [], learnt: [] };
  for (const seed of seeds) {
    for (const name of Object.keys(names)) {
      const weights = name === 'learnt' ? [`model.pretrained=${encoderOf(seed)}:pretrain`] : [];
      const overrides = ['model.depths=[1,1,1,1]', 'pairs.epochs=5', ...settings, ...weights, `seed=${seed}`];
      const tracker = path.join(out, 'runs', path.basename(videos), `${name}-${seed}`);
      await trainTracker({ data: videos, out: tracker, recipe: loadRecipeOf('tracker', 'tracker-small', overrides) });
      const file = path.join(tracker, 'tracking', 'evaluation.json');
      if (!existsSync(file)) await evaluateTrackers([tracker], { data: videos });
      scores[name].push(JSON.parse(readFileSync(file, 'utf8')).scores);
    }
  }
  const rows = Object.entries(names).map(([name, row]) => [
    row,
    ...list(scores[name].map((one) => 100 * one.otb.success)),
    ...list(scores[name].map((one) => 100 * one.otb.precision)),
    ...list(scores[name].map((one) => 100 * one.got10k.averageOverlap)),
  ]);
  print(title, ['', 'success', 'mean', 'precision', 'mean', 'AO', 'mean'], rows);
}

/** CCL on single frames of few sequences: small crops, because objects are small. */
async function trackingEncoder(videos, seed) {
  const overrides = [
    ...['frames.shortSide=160', 'frames.fps=null', 'inputSize=64', 'pretrain.augment.area=[0.05,0.5]'],
    ...['pretrain.epochs=150', 'pretrain.batch=4', 'queue.intra=12', 'queue.cycle=16', 'queue.candidates=4'],
    ...[`seed=${seed}`, 'training.threads=1'],
  ];
  await trainCcl({
    data: videos,
    out: encoderOf(seed),
    recipe: loadRecipeOf('ccl', 'ccl-small', overrides),
    workers: 0,
  });
}

function encoderOf(seed) {
  return path.join(out, 'runs', 'sequences', `encoder-${seed}`);
}

/** The values of the seeds, and their mean. */
function list(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [values.map((value) => value.toFixed(1)).join(' '), mean.toFixed(1)];
}

function print(title, head, rows) {
  console.log(`\n${title}, seeds ${seeds.join(' ')}\n`);
  for (const row of [head, head.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);
}
