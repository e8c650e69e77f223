// A training step of CCL (queries, momentum encoder, keys, both losses, queues, SGD) against the same in plain Python PyTorch,
// one thread each, alternating, processor time. Both begin with the same weights, queues, images and draws, and must find the
// same losses in the first steps. Ours is measured with libtorch's convolutions and with tuned ones.
//
//   node bench/ccl/step.mjs [--size small|resnet18] [--rounds 15]     needs a Python with torch (PYTHON, or /usr/bin/python3)

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { convolutionTuning, manualSeed, randn, savePth, scope, setNumThreads } from '@chronotope/torch';
import { drawStep } from '../../packages/chronotope/dist/methods/ccl/draws.js';
import { newModel } from '../../packages/chronotope/dist/methods/ccl/networks.js';
import { officialState } from '../../packages/chronotope/dist/methods/ccl/official-state.js';
import { withQueueLengths } from '../../packages/chronotope/dist/methods/ccl/settings.js';
import { pretraining } from '../../packages/chronotope/dist/methods/ccl/training.js';
import { loadRecipeOf } from '../../packages/chronotope/dist/recipes/load.js';

const { values: options } = parseArgs({
  options: { size: { type: 'string', default: 'small' }, rounds: { type: 'string', default: '15' } },
});
const VIDEOS = 4000;
const CHECKED = 3;
// The loader gives the same videos in each step, whose keys count as those of others: nothing is masked.
const SHARED = ['queue.sameVideo=keep'];
const SIZES = {
  small: [],
  resnet18: ['model.width=64', 'model.depths=[2,2,2,2]', 'model.embedding=128', 'inputSize=112', 'pretrain.batch=8'],
};

setNumThreads(1);
const recipe = withQueueLengths(loadRecipeOf('ccl', 'ccl-small', [...SHARED, ...SIZES[options.size]]), VIDEOS);
const { batch, learningRate: lr, momentum, weightDecay, keyMomentum } = recipe.pretrain;
const { temperature, cycleWeight } = recipe.objective;
const { candidates: neighbours, cycle } = recipe.queue;
const ids = Array.from({ length: VIDEOS }, (_, video) => String(video));
const size = recipe.inputSize;

manualSeed(1);
const views = {
  query: randn([batch, 3, 1, size, size]),
  key: randn([batch, 3, 1, size, size]),
  candidates: randn([1, batch, 3, 1, size, size]),
};
const loader = { videos: VIDEOS, stepBatch: () => ({ views, labels: null, ids: ids.slice(0, batch) }) };
const folder = mkdtempSync(join(tmpdir(), 'chronotope-bench-'));
const start = join(folder, 'start.pth');
const sides = { here: side({ tuned: false }), 'here, tuned convolutions': side({ tuned: true }) };
savePth(start, new Map([...officialState(sides.here.model), ...Object.entries(views)]));
const settings = { lr, momentum, weightDecay, keyMomentum, temperature, cycleWeight, neighbours };
const python = spawn(
  process.env.PYTHON ?? '/usr/bin/python3',
  [fileURLToPath(new URL('step.py', import.meta.url)), start, JSON.stringify(settings)],
  { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, OMP_NUM_THREADS: '1' } },
);
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

try {
  const times = { Python: [], ...Object.fromEntries(Object.keys(sides).map((name) => [name, []])) };
  const warmUp = CHECKED;
  for (let index = 0; index < warmUp + Number(options.rounds); index++) {
    const theirs = await ask(index);
    if (index >= warmUp) times.Python.push(theirs.milliseconds);
    for (const [name, one] of Object.entries(sides)) {
      const ours = one.step(index);
      // Later steps differ by what rounding does to training.
      if (index < CHECKED && Math.abs(ours.loss - theirs.loss) > 1e-3 * Math.abs(theirs.loss)) {
        throw new Error(`step ${index}: the losses differ: ${ours.loss} ${name}, ${theirs.loss} in Python`);
      }
      if (index >= warmUp) times[name].push(ours.milliseconds);
    }
  }
  console.log(
    `CCL, ${options.size}: ${batch} videos of ${size} x ${size}, queues of ${recipe.queue.intra} and ${cycle}, ` +
      `${options.rounds} rounds, medians; the same losses in the first ${CHECKED} steps:`,
  );
  for (const [name, list] of Object.entries(times)) {
    const ratios = list.map((time, round) => times.Python[round] / time);
    console.log(`  ${name.padEnd(26)} ${median(list).toFixed(1)} ms   ratio ${median(ratios).toFixed(2)}`);
  }
} finally {
  python.stdin.end();
  rmSync(folder, { recursive: true });
}

/** A model and its training; all sides begin with the same numbers. */
function side({ tuned }) {
  manualSeed(2);
  const model = newModel(recipe).train();
  const training = pretraining(model, loader, recipe, ids);
  return { model, step: (index) => measured(training, index, tuned) };
}

/** What the trainer does in a step. */
function measured({ optimizer, batch, loss }, index, tuned) {
  convolutionTuning({ enabled: tuned });
  const started = process.cpuUsage();
  const value = scope(() => {
    optimizer.zeroGrad();
    const result = loss(batch(index), index);
    const value = result.loss.item();
    result.loss.backward();
    optimizer.step();
    return value;
  });
  const { user, system } = process.cpuUsage(started);
  return { loss: value, milliseconds: (user + system) / 1000 };
}

async function ask(index) {
  const draws = drawStep(recipe.seed, index, { videos: batch, candidates: 1, queue: cycle, images: 2 * batch });
  python.stdin.write(`${JSON.stringify(draws)}\n`);
  const { value } = await answers.next();
  if (value === undefined) throw new Error('the Python side ended');
  return JSON.parse(value);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
