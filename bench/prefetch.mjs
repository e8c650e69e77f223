// Steps a second of two stages of the demo's recipe with 0, 1 and 2 threads that make batches ahead, alternating.
//
//   node bench/prefetch.mjs [videos] [rounds] [libtorch threads]
//
// `videos` is a folder made by `chronotope demo-data`; by default a small one is made.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { manualSeed, noGrad, setNumThreads, softmax } from '../packages/torch/dist/index.js';
import { buildFrameStore } from '../packages/video/dist/index.js';

const DIST = '../packages/chronotope/dist';
const { readClassFolders } = await import(`${DIST}/data/class-folders.js`);
const { ClipReader } = await import(`${DIST}/data/clip-reader.js`);
const { ClipWorkers } = await import(`${DIST}/data/clip-workers.js`);
const { ClipLoader } = await import(`${DIST}/data/loader.js`);
const { writeDemoData } = await import(`${DIST}/demo/write-demo-data.js`);
const { newClassifier, newPretextModel } = await import(`${DIST}/methods/timebalance/networks.js`);
const { pretextTraining, studentTraining } = await import(`${DIST}/methods/timebalance/training.js`);
const { viewPlan } = await import(`${DIST}/methods/timebalance/view-plans.js`);
const { loadRecipe } = await import(`${DIST}/recipes/load.js`);
const { fit } = await import(`${DIST}/training/fit.js`);
const { MetricsWindow } = await import(`${DIST}/training/metrics-window.js`);

const folder = mkdtempSync(join(tmpdir(), 'chronotope-bench-'));
const data = process.argv[2] || join(folder, 'videos');
const rounds = Number(process.argv[3] ?? 5);
const threads = Number(process.argv[4] ?? availableParallelism());
setNumThreads(threads);
if (!process.argv[2]) await writeDemoData(data, { trainPerClass: 6, testPerClass: 1 });

const recipe = loadRecipe('timebalance-demo');
const { entries, classes } = readClassFolders(data);
const training = entries.filter(({ split }) => split === 'train');
const sources = training.map(({ id, path }) => ({ id, path }));
const { shortSide, maxFrames } = recipe.frames;
const { store } = await buildFrameStore(join(folder, 'frames'), sources, {
  shortSide,
  maxFrames,
  format: 'raw',
});
const reader = new ClipReader(store);
const pools = [null, new ClipWorkers(1), new ClipWorkers(2)];

const stages = {
  'pre-training': { steps: 12, make: pretraining },
  student: { steps: 20, make: student },
};
console.log(`${training.length} videos, libtorch with ${threads} threads, ${rounds} rounds`);
for (const [name, { steps, make }] of Object.entries(stages)) {
  const variants = pools.map((workers) => ({
    workers: workers?.count ?? 0,
    run: make(workers),
    seconds: [],
    cpu: [],
    wait: [],
  }));
  for (let round = 0; round <= rounds; round++) {
    for (const variant of variants) {
      const { seconds, cpu, dataShare } = await timed(variant.run, round, steps);
      // The first round starts the threads and fills the caches.
      if (round > 0) {
        variant.seconds.push(seconds);
        variant.cpu.push(cpu);
        variant.wait.push(dataShare);
      }
    }
  }
  const base = median(variants[0].seconds);
  for (const { workers, seconds, cpu, wait } of variants) {
    const rate = (steps / median(seconds)).toFixed(2);
    const ratio = (base / median(seconds)).toFixed(2);
    const [waited, busy] = [Math.round(100 * median(wait)), Math.round((1000 * median(cpu)) / steps)];
    console.log(
      `${name}: ${workers} workers  ${rate} steps/s  x ${ratio}  data ${waited} %  processor ${busy} ms a step`,
    );
  }
}
for (const pool of pools) await pool?.dispose();
reader.dispose();
rmSync(folder, { recursive: true });

function loader(videos, stage, batchSize, workers) {
  const plan = viewPlan(recipe, stage);
  const { inputSize: size, seed } = recipe;
  return new ClipLoader({ entries: videos, classes, reader, plan, size, batchSize, seed, workers });
}

function pretraining(workers) {
  manualSeed(1);
  const settings = recipe.pretrain.student;
  const model = newPretextModel(recipe, settings.clipBatches);
  const batches = loader(training, 'pretrain-student', settings.batch, workers);
  return pretextTraining(model, batches, settings, recipe.training.optimizer);
}

function student(workers) {
  manualSeed(1);
  const settings = recipe.student;
  const network = () => newClassifier(recipe, classes.length, { dropout: settings.dropout });
  const [model, ...teachers] = [network(), network(), network()];
  for (const teacher of teachers) teacher.eval().requiresGrad_(false);
  const probabilities = ({ views }) => teachers.map((teacher) => softmax(teacher.call(views.clip), 1).div(2));
  const teach = (batch) => noGrad(() => probabilities(batch).reduce((sum, one) => sum.add(one)));
  const loaders = {
    labelled: loader(training.slice(0, 24), 'student', settings.batch, workers),
    unlabelled: loader(training, 'student', settings.unlabelledBatch, workers),
  };
  return studentTraining(model, teach, loaders, settings, recipe.training.optimizer);
}

async function timed(run, round, steps) {
  const first = round * steps;
  let dataShare = 0;
  const [started, before] = [performance.now(), process.cpuUsage()];
  await fit({
    ...run,
    steps: first + steps,
    ready: (step) => Promise.all(run.loaders.map((one) => one.prepare(step, first + steps))),
    schedule: () => 1,
    resume: { step: first, window: new MetricsWindow().state },
    logEvery: 1e9,
    onMetrics: (line) => {
      dataShare = line.dataShare;
    },
  });
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - started) / 1000, cpu: (user + system) / 1e6, dataShare };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
