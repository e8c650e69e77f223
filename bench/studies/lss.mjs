// The study of docs/results.md on LSS: a tiny CLIP, what LSS makes of it by each of its parts, and TimeBalance started
// from words. Everything that is finished is kept, so that a study that was stopped goes on, and a finished one only
// prints its tables.
//
//   node bench/studies/lss.mjs <out folder> [--seeds 1,2,3] [--parts demo,adapted,egogestar,timebalance]
//       [--egogestar <data>] [--variants a,b] [--target <videos>] [--set key=value ...]
//
// The part `adapted` trains one larger CLIP on many videos of another seed and lets LSS adapt it, longer, to videos that it
// has not seen and that have no captions; the others train a CLIP for each seed on the videos themselves.
// The part egogestar wants the real data set (docs/results.md); without it that part is left out.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { demoClasses } from '../../packages/chronotope/dist/demo/demo-classes.js';
import { writeDemoData } from '../../packages/chronotope/dist/demo/write-demo-data.js';
import {
  buildConcepts,
  evaluateFeatures,
  loadRecipeOf,
  proposeLabels,
  readConcepts,
  TEMPLATES,
  trainClip,
  trainLss,
  trainTimeBalance,
  writeProposals,
  zeroShot,
} from '../../packages/chronotope/dist/index.js';
import { convertModel } from '../../packages/chronotope/dist/runs/convert-clip.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    parts: { type: 'string', default: 'demo,adapted,egogestar,timebalance' },
    variants: { type: 'string' },
    // Settings of LSS in the part `adapted`, and other videos for it: to try settings on videos of another seed.
    set: { type: 'string', multiple: true, default: [] },
    target: { type: 'string' },
    egogestar: { type: 'string', default: fileURLToPath(new URL('../../../shared/data/egogestar', import.meta.url)) },
  },
});
const [out] = positionals;
if (out === undefined) {
  console.error('usage: node bench/studies/lss.mjs <out folder> [--seeds 1,2,3] [--parts demo,adapted,…]');
  process.exit(2);
}

/** Videos of each class to train on: from the demo's 24 a tiny CLIP learns their scenes by heart, not the figures. */
const TRAIN_PER_CLASS = 60;
// Chosen so that all of it takes about an hour of one core.
const SIZE = ['frames.shortSide=32', 'frames.fps=10', 'inputSize=32'];
const CLIP = [...SIZE, 'model.text.context=24', 'train.epochs=40', 'training.threads=1'];
const LSS = [
  ...SIZE,
  // All of a video is the segment, which the demo's changes need.
  ...['clips.virtualFrames=32', 'clips.segmentFrames=32'],
  ...['clips.localSize=16', 'clips.localViews=2'],
  'train.epochs=3',
  'train.warmupEpochs=1',
  'training.threads=1',
];
/** What each row of the tables changes. */
const VARIANTS = {
  'category only': ['objective.description=0', 'objective.alignment=0'],
  'description only': ['objective.category=0', 'objective.alignment=0'],
  both: ['objective.alignment=0'],
  'both + alignment': [],
  'the same, centring instead of the prior': ['objective.uniform=0', 'objective.center=true'],
  'the same, neither prior nor centring': ['objective.uniform=0'],
  'the same, random concepts': ['concepts.control=random'],
  'SVT from CLIP (no language)': [
    'head.kind=dino',
    'objective.uniform=0',
    'objective.center=true',
    'train.freezeLastLayerEpochs=1',
  ],
};
/** The CLIP that is adapted: what it reads, and how large and long. About half an hour of one core. */
const WIDE = { trainPerClass: 200, testPerClass: 5, seed: 7 };
const WIDE_SIZE = ['frames.shortSide=40', 'frames.fps=10', 'inputSize=40'];
const WIDE_CLIP = [...WIDE_SIZE, 'model.text.context=24', 'train.epochs=60', 'train.batch=64', 'training.threads=1'];
const ADAPT = [...LSS, ...WIDE_SIZE, 'train.epochs=20', 'train.warmupEpochs=2'];
/** The rows of its table, by what the image tower attends to. */
const ADAPTED = {
  'within frames': ['model.attention=space-only'],
  'within frames, category only': ['model.attention=space-only', ...VARIANTS['category only']],
  'within frames, neither prior nor centring': ['model.attention=space-only', 'objective.uniform=0'],
  'over time too': [],
  'over time too, category only': VARIANTS['category only'],
  'over time too, neither prior nor centring': ['objective.uniform=0'],
};
/** The rows that are trained from every seed, and whose network is measured before as well. */
const ADAPTED_OFTEN = ['within frames', 'over time too'];
/** The columns of the tables of the demo's videos. */
const RECOGNITION = [
  ...['zeroShot', 'described', 'linear', 'knn'].flatMap((protocol) =>
    ['all', 'appearance', 'time'].map((part) => ({ title: `${protocol} ${part}`, of: (r) => r[protocol]?.[part] })),
  ),
  { title: 'collapsed', of: (r) => (r.collapse?.length ? 1 : 0), sum: true },
];
/** What the ten gestures look like: names and descriptions as a user would write them. */
const GESTURES = {
  up: ['a hand moves a finger straight up', 'the hand rises from the bottom to the top'],
  down: ['a hand moves a finger straight down', 'the hand sinks from the top to the bottom'],
  left: ['a hand moves a finger from right to left', 'the hand ends on the left side'],
  right: ['a hand moves a finger from left to right', 'the hand ends on the right side'],
  'counterclockwise circle': ['a hand draws a round closed loop', 'a finger turns once around against the clock'],
  square: ['a hand draws four straight sides with corners', 'a finger goes around a box'],
  caret: ['a hand goes up and then down again in a point', 'a finger draws a roof'],
  tick: ['a hand goes a little down and then far up', 'a finger draws a check mark'],
  delete: ['a hand draws a loop that crosses itself', 'a finger strikes something out'],
  star: ['a hand draws five pointed strokes', 'a finger goes to and fro between the tips of a star'],
};
/** Most confident videos of each class that a label is proposed for. */
const PROPOSED = 4;
const TIMEBALANCE = [
  'training.threads=1',
  // As many steps as the demo's own recipe on its 24 videos a class.
  ...['invariant', 'distinctive', 'student'].map((network) => `pretrain.${network}.epochs=4`),
  ...['supervised', 'teacher', 'student'].map((stage) => `${stage}.steps=200`),
];
const TEMPLATE = TEMPLATES.single;
const kindOf = new Map(demoClasses.map(({ name, kind }) => [name, kind]));
const seeds = flags.seeds.split(',').map(Number);
const parts = flags.parts.split(',');
const at = (...names) => path.join(out, ...names);
const log = (text) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
const wanted = flags.variants === undefined ? Object.keys(VARIANTS) : flags.variants.split(',');

mkdirSync(at('results'), { recursive: true });
if (parts.some((part) => part !== 'adapted')) await demoData();
if (parts.includes('demo')) await demoStudy();
if (parts.includes('adapted')) await adaptedStudy();
if (parts.includes('egogestar')) await egogestarStudy();
if (parts.includes('timebalance')) await timebalanceStudy();

async function demoData() {
  await once('demo-data', async () => {
    await writeDemoData(at('demo'), { trainPerClass: TRAIN_PER_CLASS, testPerClass: 15 });
    return {};
  });
}

/** The tiny CLIP of a seed, as a run and as a file, and the concept space of its text tower. */
async function tinyClip(seed) {
  const run = at(`clip-${seed}`);
  const [file, concepts] = [at(`clip-${seed}.safetensors`), at(`concepts-${seed}.safetensors`)];
  await once(`clip ${seed}`, async () => {
    const recipe = loadRecipeOf('clip', 'clip-tiny', [...CLIP, `seed=${seed}`]);
    await trainClip({ data: at('demo'), out: run, frames: at('frames'), recipe, workers: 0 });
    convertModel(run, file);
    buildConcepts(file, { concepts: 'demo', templates: TEMPLATE, out: concepts });
    return {};
  });
  return { run, file, concepts };
}

/** Trains LSS from the tiny CLIP of a seed; gives what the run said about collapse. */
async function lss({ data, frames, folder, seed, clip, overrides, base = LSS }) {
  const notes = [];
  const recipe = loadRecipeOf('lss', 'lss-tiny', [
    ...base,
    `seed=${seed}`,
    `model.pretrained=${clip.file}`,
    `concepts.file=${clip.concepts}`,
    'concepts.control=none',
    ...overrides,
  ]);
  const progress = {
    begin: () => ({ update: () => {}, end: () => {} }),
    note: (text) => notes.push(text.trim()),
  };
  await trainLss({ data, out: folder, frames, recipe, workers: 0, progress });
  return notes.filter((note) => note.startsWith('collapse'));
}

async function demoStudy() {
  for (const seed of seeds) {
    const clip = await tinyClip(seed);
    await once(`image CLIP, frames averaged ${seed}`, () => measured(clip.run, 'pretrain'));
    for (const name of wanted) {
      const folder = at('runs', `${name} ${seed}`);
      await once(`${name} ${seed}`, async () => {
        const overrides = VARIANTS[name];
        const collapse = await lss({ data: at('demo'), frames: at('frames'), folder, seed, clip, overrides });
        return { collapse, ...(await measured(folder, 'teacher', { isWordless: name.startsWith('SVT') })) };
      });
      if (name === 'both + alignment')
        await once(`space-time CLIP, before training ${seed}`, () => measured(folder, 'start'));
    }
  }
  const rows = ['image CLIP, frames averaged', 'space-time CLIP, before training', ...wanted];
  print(`demo, top-1 in %, mean and standard deviation of seeds ${seeds.join(' ')}`, rows, RECOGNITION);
}

/** One CLIP for all seeds, as the published ones are, and what LSS makes of it on videos without captions. */
async function adaptedStudy() {
  const [data, frames] = [flags.target ?? at('target'), at('frames-target')];
  const templates = TEMPLATES.kinetics;
  if (flags.target === undefined) {
    await once('adapted data', async () => {
      await writeDemoData(data, { trainPerClass: 24, testPerClass: 15 });
      return {};
    });
  }
  const clip = await wideClip();
  await once(`adapted: image CLIP ${seeds[0]}`, () => words(clip.run, 'pretrain', { data, frames, templates }));
  for (const seed of seeds) {
    for (const [name, changes] of Object.entries(ADAPTED)) {
      const isOften = ADAPTED_OFTEN.includes(name);
      if (!isOften && seed !== seeds[0]) continue;
      const folder = at('runs', `adapted ${name} ${seed}`);
      const options = { data, frames, templates };
      await once(`adapted: ${name} ${seed}`, async () => {
        const overrides = [...changes, ...flags.set];
        const collapse = await lss({ data, frames, folder, seed, clip, overrides, base: ADAPT });
        return { collapse, ...(await measured(folder, 'teacher', options)) };
      });
      if (isOften) await once(`adapted: before, ${name} ${seed}`, () => measured(folder, 'start', options));
    }
  }
  const rows = Object.keys(ADAPTED).flatMap((name) => [`before, ${name}`, name]);
  print(
    `adapted, top-1 in %, mean and standard deviation of seeds ${seeds.join(' ')}`,
    ['image CLIP', ...rows],
    RECOGNITION,
    'adapted: ',
  );
}

/** A CLIP that has read many videos of another seed, and the concept space of its text tower. */
async function wideClip() {
  const clip = { run: at('clip-wide'), file: at('clip-wide.safetensors'), concepts: at('concepts-wide.safetensors') };
  await once('wide clip', async () => {
    await writeDemoData(at('wide'), WIDE);
    const recipe = loadRecipeOf('clip', 'clip-tiny', WIDE_CLIP);
    await trainClip({ data: at('wide'), out: clip.run, frames: at('frames-wide'), recipe, workers: 0 });
    convertModel(clip.run, clip.file);
    return {};
  });
  await once('wide concepts', () => {
    buildConcepts(clip.file, { concepts: 'demo', templates: TEMPLATES.kinetics, out: clip.concepts });
    return {};
  });
  return clip;
}

/** Top-1 of a network of a run on test videos, by default those of the demo. */
async function measured(folder, stage, { isWordless = false, ...tested } = {}) {
  const named = isWordless ? {} : await words(folder, stage, tested);
  return { ...named, ...(await features(folder, stage)) };
}

/** Zero-shot by class names, and by class names with descriptions. */
async function words(folder, stage, { data = at('demo'), frames = at('frames'), templates = TEMPLATE }) {
  const common = { templates, store: frames, stage };
  return {
    zeroShot: byKind((await zeroShot(folder, data, common)).perClass),
    described: byKind((await zeroShot(folder, data, { ...common, concepts: readConcepts('demo') })).perClass),
  };
}

/** The linear probe, and k-NN with k = 5. */
async function features(folder, stage) {
  const results = {};
  for (const [protocol, measure] of [
    ['linear', 'linear'],
    ['knn', 'k = 5'],
  ]) {
    const { stages } = await evaluateFeatures(folder, { protocol, stages: [stage], k: [5] });
    const { recognition } = stages[0].draws[0].find(({ name }) => name === measure);
    results[protocol] = byKind(recognition.perClass);
  }
  return results;
}

/** Mean top-1 over classes, which have equally many test videos here, in all and by kind. */
function byKind(perClass) {
  const of = (kind) => mean(perClass.filter(({ name }) => kindOf.get(name) === kind).map(({ top1 }) => top1));
  const all = perClass.reduce((sum, { top1, videos }) => sum + top1 * videos, 0);
  return {
    all: all / perClass.reduce((sum, { videos }) => sum + videos, 0),
    appearance: of('appearance'),
    time: of('time'),
  };
}

async function egogestarStudy() {
  if (!existsSync(flags.egogestar)) return log(`left out: no data in ${flags.egogestar}`);
  await once('egogestar-layout', () => {
    const script = fileURLToPath(new URL('../real-data.mjs', import.meta.url));
    const { status } = spawnSync(process.execPath, [script, 'egogestar', flags.egogestar, at('egogestar')], {
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error('the layout of egogestar could not be made');
    return {};
  });
  writeFileSync(at('gestures.json'), JSON.stringify(GESTURES));
  for (const seed of seeds) {
    const clip = await tinyClip(seed);
    const gestures = at(`egogestar-concepts-${seed}.safetensors`);
    for (const name of ['both + alignment', 'SVT from CLIP (no language)']) {
      const folder = at('runs', `egogestar ${name} ${seed}`);
      const data = at('egogestar', 'videos');
      await once(`egogestar ${name} ${seed}`, async () => {
        buildConcepts(clip.file, { concepts: at('gestures.json'), templates: TEMPLATE, out: gestures });
        const overrides = [...VARIANTS[name], 'train.epochs=10'];
        await lss({ data, frames: at('frames-ego'), folder, seed, clip: { ...clip, concepts: gestures }, overrides });
        return features(folder, 'teacher');
      });
      if (name === 'both + alignment') {
        await once(`egogestar space-time CLIP, before training ${seed}`, () => features(folder, 'start'));
      }
    }
  }
  const rows = ['space-time CLIP, before training', 'both + alignment', 'SVT from CLIP (no language)'];
  const columns = ['linear', 'knn'].map((protocol) => ({ title: protocol, of: (r) => r[protocol].all }));
  print(`egogestar, top-1 in % on 56 test videos, seeds ${seeds.join(' ')}`, rows, columns, 'egogestar ');
}

/** Labels from words, a few of each class, against two true labels of each class; the same pre-training for both. */
async function timebalanceStudy() {
  const base = { data: at('demo'), frames: at('frames-timebalance'), workers: 0, labelDraws: 1 };
  for (const seed of seeds) {
    const recipe = loadRecipeOf('timebalance', 'timebalance-demo', [...TIMEBALANCE, `seed=${seed}`]);
    const manual = at('runs', `timebalance 2 labels ${seed}`);
    await once(`timebalance 2 labels a class ${seed}`, async () =>
      accuracies(await trainTimeBalance({ ...base, recipe, out: manual, labelsPerClass: 2 })),
    );
    const clip = await tinyClip(seed);
    await once(`timebalance ${PROPOSED} proposed labels a class ${seed}`, async () => {
      const names = demoClasses.map(({ name }) => name);
      const { proposals, test } = await proposeLabels(clip.run, at('demo'), {
        ...{ concepts: names.map((name) => ({ name, descriptions: [] })), templates: TEMPLATE },
        ...{ perClass: PROPOSED, store: at('frames') },
      });
      const labels = at(`proposed-${seed}.csv`);
      writeProposals(labels, proposals, test);
      const proposed = proposals.filter(({ label }) => label !== null);
      const right = proposed.filter(({ entry, label }) => entry.label === label).length / proposed.length;
      const isMissing = names.some((name) => proposed.every(({ label }) => label !== name));
      // A class that no video seems to show has no label; then there is no recogniser of all classes.
      if (isMissing)
        return { proposals: right, missing: names.filter((name) => proposed.every(({ label }) => label !== name)) };
      const labelsFile = labels;
      const out = at('runs', `timebalance proposed ${seed}`);
      const run = await trainTimeBalance({ ...base, recipe, out, labelsFile, pretrained: manual });
      return { proposals: right, ...accuracies(run) };
    });
  }
  const rows = ['2 labels a class', `${PROPOSED} proposed labels a class`];
  const columns = ['proposals', 'supervised', 'student'].map((name) => ({ title: name, of: (r) => r[name] }));
  print(
    `TimeBalance, top-1 in %, seeds ${seeds.join(' ')}; proposals: share of the labels that are right`,
    rows,
    columns,
    'timebalance ',
  );
}

function accuracies({ stages }) {
  const of = (wanted) => stages.find(({ stage }) => stage === wanted).top1.value;
  return { supervised: of('supervised'), student: of('student') };
}

/** Does something unless its result is there, and keeps the result. */
async function once(name, work) {
  const file = at('results', `${name.replaceAll(/[^\w+]+/g, '-')}.json`);
  if (existsSync(file)) return;
  log(name);
  const started = performance.now();
  const result = await work();
  writeFileSync(file, `${JSON.stringify({ ...result, seconds: Math.round((performance.now() - started) / 1000) })}\n`);
}

/** The results of a row, one a seed that is done. */
function resultsOf(name) {
  const files = seeds.map((seed) => at('results', `${`${name} ${seed}`.replaceAll(/[^\w+]+/g, '-')}.json`));
  return files.filter(existsSync).map((file) => JSON.parse(readFileSync(file, 'utf8')));
}

/** Prints a table in Markdown. */
function print(title, rows, columns, prefix = '') {
  console.log(
    `\n${title}\n\n| | ${columns.map(({ title }) => title).join(' | ')} |\n|${'---|'.repeat(columns.length + 1)}`,
  );
  for (const row of rows) {
    const results = resultsOf(prefix + row);
    const cells = columns.map(({ of, sum = false }) => {
      const values = results.map(of).filter((value) => value !== undefined);
      if (values.length === 0) return '';
      if (sum) return `${values.reduce((a, b) => a + b, 0)} of ${values.length}`;
      return `${(100 * mean(values)).toFixed(1)} ± ${(100 * deviation(values)).toFixed(1)}`;
    });
    console.log(`| ${row} | ${cells.join(' | ')} |`);
  }
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of the sample; 0 for a single value. */
function deviation(values) {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
