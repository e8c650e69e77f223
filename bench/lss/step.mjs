// A training step of LSS at the size of lss-tiny against the same in plain Python PyTorch, one thread each, alternating,
// processor time. Both begin with the same weights, views and concepts, and must find the same loss in the first step.
//
//   node bench/lss/step.mjs [rounds]     needs a Python with torch (PYTHON, or /usr/bin/python3)

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { manualSeed, randn, savePth, scope, setNumThreads } from '@chronotope/torch';
import { newSelfDistillation } from '../../packages/chronotope/dist/methods/lss/pipeline.js';
import { distillationTraining } from '../../packages/chronotope/dist/methods/lss/training.js';
import { loadRecipeOf } from '../../packages/chronotope/dist/recipes/load.js';

const BATCH = 8;
const rounds = Number(process.argv[2] ?? 9);
setNumThreads(1);
const recipe = loadRecipeOf('lss', 'lss-tiny', [`train.batch=${BATCH}`, 'teacher.momentum=0.996']);
const { inputSize, clips, model: shape } = recipe;
manualSeed(1);
const view = (count, size) => randn([count, BATCH, 3, clips.frames, size, size]);
const views = { globals: view(2, inputSize), locals: view(clips.localViews, clips.localSize) };
const model = newSelfDistillation(recipe, null).train();
const loader = { videos: 100 * BATCH, stepBatch: () => ({ views, labels: null, ids: [] }) };
const training = distillationTraining(model, loader, recipe);

const folder = mkdtempSync(join(tmpdir(), 'chronotope-bench-'));
const start = join(folder, 'start.pth');
const student = [...model.student.backbone.stateDict()].map(([key, value]) => [`student.${key}`, value]);
const { category, description } = model.spaces;
savePth(
  start,
  new Map([...student, ...Object.entries({ ...views, category: category.axes, description: description.axes })]),
);
const python = spawn(
  process.env.PYTHON ?? '/usr/bin/python3',
  [fileURLToPath(new URL('step.py', import.meta.url)), start, String(shape.heads)],
  { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, OMP_NUM_THREADS: '1' } },
);
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

try {
  const [ours, theirs] = [[], []];
  for (let round = -1; round < rounds; round++) {
    const here = step(round + 1);
    python.stdin.write('step\n');
    const { value: answer } = await answers.next();
    if (answer === undefined) throw new Error('the Python side ended');
    const [milliseconds, loss] = answer.split(' ').map(Number);
    // The first round warms both up; later ones differ by what rounding does to training.
    if (round < 0 && Math.abs(here.loss - loss) > 1e-4 * Math.abs(loss)) {
      throw new Error(`the losses differ: ${here.loss} here, ${loss} in Python`);
    }
    if (round < 0) continue;
    ours.push(here.milliseconds);
    theirs.push(milliseconds);
  }
  const ratios = theirs.map((time, round) => time / ours[round]);
  console.log(`lss-tiny, ${BATCH} videos a step, ${rounds} rounds, medians, the same loss in the first step:`);
  console.log(`  here     ${median(ours).toFixed(0)} ms`);
  console.log(`  Python   ${median(theirs).toFixed(0)} ms`);
  console.log(`  ratio    ${median(ratios).toFixed(2)}`);
} finally {
  python.stdin.end();
  rmSync(folder, { recursive: true });
}

/** What the trainer does in a step. */
function step(index) {
  const started = process.cpuUsage();
  const loss = scope(() => {
    const { optimizer } = training;
    optimizer.zeroGrad();
    for (const group of optimizer.paramGroups) group.lr = 1e-4;
    const { loss } = training.loss(training.batch(index), index);
    const value = loss.item();
    loss.backward();
    optimizer.step();
    training.afterStep(index);
    return value;
  });
  const { user, system } = process.cpuUsage(started);
  return { loss, milliseconds: (user + system) / 1000 };
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
