// The demo's whole training, from files to a student, against the same steps of a plain version: PyTorch without the engine's
// savings, and a loader that decodes the whole file of each video and transforms frame by frame, as the published code does.
// Ours is run whole, with looking at the files, storing frames, asking teachers and the evaluation; of the plain version
// some steps of each kind are timed, before and after, and multiplied by their number. The losses are the same, so that
// the same number of steps leads to the same accuracy. Wall time, both with all processors and one thread of libtorch.
//
//   node bench/timebalance/whole.mjs [folder for videos]        PYTHON: a Python with torch, torchvision, av and cv2

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawViews } from '../../packages/chronotope/dist/data/make-views.js';
import { pretextPlan, trainPlan } from '../../packages/chronotope/dist/data/views.js';
import { demoClasses } from '../../packages/chronotope/dist/demo/demo-classes.js';
import { writeDemoData } from '../../packages/chronotope/dist/demo/write-demo-data.js';
import { loadRecipeOf, readDataset, trainTimeBalance } from '../../packages/chronotope/dist/index.js';
import { buildFrameStore, FrameStore, probe } from '../../packages/video/dist/index.js';

const PLAIN_STEPS = { pretraining: 30, labelled: 60, student: 40 };
const python = process.env.PYTHON ?? '/usr/bin/python3';
const folder = mkdtempSync(path.join(tmpdir(), 'chronotope-bench-'));
const data = process.argv[2] ?? path.join(folder, 'videos');
const recipe = loadRecipeOf('timebalance', 'timebalance-demo', ['baselines=[]', 'training.threads=1']);

try {
  await writeDemoData(data, { trainPerClass: 24, testPerClass: 15 });
  const draws = await drawsOfAllKinds();
  const before = plain(draws);
  const started = performance.now();
  const run = await trainTimeBalance({ data, out: path.join(folder, 'run'), recipe, labelsPerClass: 2 });
  const ours = (performance.now() - started) / 1000;
  const after = plain(draws);
  const student = run.stages.find(({ stage }) => stage === 'student');
  console.log(`chronotope, whole: ${ours.toFixed(0)} s, student ${(100 * student.top1.value).toFixed(1)} %`);
  for (const [kind, count] of Object.entries(stepsOf(recipe))) {
    const each = [before, after].map((times) => times[kind].toFixed(3)).join(' and ');
    console.log(`plain, ${kind}: ${count} steps of ${each} s`);
  }
  const totals = [before, after].map((times) => total(times));
  console.log(`plain, all steps: ${totals.map((seconds) => seconds.toFixed(0)).join(' and ')} s`);
  console.log(`ratio ${(Math.min(...totals) / ours).toFixed(2)}`);
} finally {
  rmSync(folder, { recursive: true });
}

/** How many steps the recipe has of each kind: three pre-trainings, two teachers and the student. */
function stepsOf({ pretrain, teacher, student }) {
  const videos = 24 * demoClasses.length;
  const pretexts = [pretrain.invariant, pretrain.distinctive, pretrain.student];
  return {
    pretraining: pretexts.reduce((sum, { epochs, batch }) => sum + epochs * Math.floor(videos / batch), 0),
    labelled: 2 * teacher.steps,
    student: student.steps,
  };
}

function total(times) {
  return Object.entries(stepsOf(recipe)).reduce((sum, [kind, count]) => sum + count * times[kind], 0);
}

/** Wall seconds of a plain step of each kind. */
function plain(draws) {
  const script = fileURLToPath(new URL('./whole.py', import.meta.url));
  const times = Object.entries(draws).map(([kind, file]) => {
    const { stdout, stderr, status } = spawnSync(python, [script, kind, file, String(demoClasses.length)], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${script}: ${stderr}`);
    return [kind, Number(stdout)];
  });
  return Object.fromEntries(times);
}

/** Files that say which frames of which videos the plain version takes, and how it changes them. */
async function drawsOfAllKinds() {
  const videos = (await readDataset(data)).entries
    .filter(({ split }) => split === 'train')
    .map(({ id, path: file }) => ({ id, path: file }));
  const store = path.join(folder, 'draws-frames');
  await buildFrameStore(store, videos, { shortSide: recipe.frames.shortSide });
  const stored = await FrameStore.open(store, videos);
  const plans = {
    pretraining: [pretextPlan(recipe.clips, recipe.pretrain.student.augment), recipe.pretrain.student.batch],
    labelled: [trainPlan(recipe.clips, recipe.teacher.augment), recipe.teacher.batch],
    student: [trainPlan(recipe.clips, recipe.student.augment), recipe.student.batch + recipe.student.unlabelledBatch],
  };
  // The demo's videos are of one size.
  const { width, height } = await probe(videos[0].path);
  const files = {};
  for (const [kind, [plan, batch]] of Object.entries(plans)) {
    const draws = [];
    for (let k = 0; k < (PLAIN_STEPS[kind] + 2) * batch; k++) {
      // A step in between, so that neighbours are of different classes.
      const { id, path: file } = videos[(7 * k) % videos.length];
      const drawn = drawViews(plan, { ...stored.get(id), width, height }, recipe.inputSize, {
        ...{ seed: 1, epoch: Math.floor(k / videos.length), video: k },
      });
      draws.push({
        path: file,
        frames: drawn.map((one) => one.frames),
        augmentations: drawn.map((one) => one.augmentation),
      });
    }
    files[kind] = path.join(folder, `${kind}.json`);
    writeFileSync(files[kind], JSON.stringify(draws));
  }
  return files;
}
