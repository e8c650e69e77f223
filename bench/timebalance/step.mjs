// One side of bench/timebalance/run.mjs: a step of the method's own training. Prints milliseconds of processor time a step,
// the peak of resident memory in MiB and the number of parameters.
//   node step.mjs <size> <step> <steps> <threads> [tuned]    step: student, student-cached, pretraining, pretraining-joint
import { readFileSync } from 'node:fs';
import { convolutionTuning, manualSeed, rand, scope, setNumThreads, tensor } from '@chronotope/torch';
import { newClassifier, newPretextModel } from '../../packages/chronotope/dist/methods/timebalance/networks.js';
import {
  cachedTeaching,
  freezeTeacher,
  liveTeaching,
} from '../../packages/chronotope/dist/methods/timebalance/teaching.js';
import { pretextTraining, studentTraining } from '../../packages/chronotope/dist/methods/timebalance/training.js';
import { loadRecipe } from '../../packages/chronotope/dist/recipes/load.js';

const [name, kind, stepCount, threads, tuned] = process.argv.slice(2);
const size = JSON.parse(readFileSync(new URL('sizes.json', import.meta.url), 'utf8'))[name];
const { frames, pixels, classes, embedding } = size;

const recipe = loadRecipe('timebalance-demo', [
  'student.distillation=l2',
  ...['supervisedWeight=1', 'labelledWeight=50', 'unlabelledWeight=100'].map((weight) => `student.${weight}`),
  `model.embedding=${embedding}`,
  ...(name === 'r3d18' ? ['model.backbone=r3d18', 'model.width=16'] : []),
]);
setNumThreads(Number(threads));
convolutionTuning({ enabled: tuned === 'tuned' });
manualSeed(0);
const { training, parameters } = kind.startsWith('student') ? student() : pretraining();
for (let step = 0; step < 2; step++) run(step);
const times = Array.from({ length: Number(stepCount) }, (_, step) => {
  const started = process.cpuUsage();
  run(step);
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1000;
});
console.log(
  JSON.stringify({
    milliseconds: Math.min(...times),
    peakMiB: process.resourceUsage().maxRSS / 1024,
    parameters: parameters.reduce((sum, { numel }) => sum + numel, 0),
  }),
);

function run(step) {
  scope(() => {
    training.optimizer.zeroGrad();
    training.loss(training.batch(step), step).loss.backward();
    training.optimizer.step();
  });
}

function student() {
  const [labelled, unlabelled] = size.studentBatch;
  const networks = Array.from({ length: 3 }, () => newClassifier(recipe, classes, { dropout: 0.2 }));
  const [model, ...teachers] = networks;
  const ids = Array.from({ length: labelled + unlabelled }, (_, video) => String(video));
  const combination = {
    weights: new Map(ids.map((id, video) => [id, video / ids.length])),
    mixing: 'probabilities',
    teacherTemperature: 1,
  };
  const table = () => ({
    rows: new Map(ids.map((id, row) => [id, row])),
    probabilities: rand([ids.length, classes]).softmax(1),
  });
  const teaching =
    kind === 'student-cached'
      ? cachedTeaching([table(), table()], combination)
      : liveTeaching(teachers.map(freezeTeacher), combination);
  const loaders = {
    labelled: loaderOf({ clip: clips([labelled]) }, ids.slice(0, labelled), labelled),
    unlabelled: loaderOf({ clip: clips([unlabelled]) }, ids.slice(labelled), 0),
  };
  return {
    training: studentTraining(model, teaching, loaders, recipe.student, recipe.training.optimizer),
    parameters: model.parameters(),
  };
}

function pretraining() {
  const videos = size.pretextBatch;
  const model = newPretextModel(recipe, kind === 'pretraining-joint' ? 'joint' : 'per-clip');
  const views = { globals: clips([2, videos]), locals: clips([2, 4, videos]) };
  const ids = Array.from({ length: videos }, (_, video) => String(video));
  const settings = recipe.pretrain.student;
  return {
    training: pretextTraining(model, loaderOf(views, ids, 0), settings, recipe.training.optimizer),
    parameters: model.parameters(),
  };
}

/** A loader that has its only batch ready: data is not what is measured here. */
function loaderOf(views, ids, labelled) {
  const numbers = BigInt64Array.from({ length: labelled }, (_, video) => BigInt(video % classes));
  const batch = { views, ids, labels: labelled === 0 ? null : tensor(numbers) };
  return { videos: ids.length, stepBatch: () => batch };
}

function clips(leading) {
  return rand([...leading, 3, frames, pixels, pixels]);
}
