import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadSafetensors, memory } from '@chronotope/torch';
import { timebalanceRecipe } from '../recipes/timebalance.js';
import { tinyRecipe, writeTinyVideos } from '../testing/tiny-videos.js';
import { evaluateRun } from './evaluate.js';
import { predictFiles } from './predict.js';
import { RunFolder } from './run-folder.js';
import { trainTimeBalance } from './train-timebalance.js';

describe('baselines and ablations in one run', () => {
  let root = '';
  let data = '';
  const tiny = tinyRecipe();
  const recipe = timebalanceRecipe.parse({
    ...tiny,
    baselines: ['pseudo-label', 'mean-teacher', 'fixmatch'],
    teacher: { ...tiny.teacher, epochs: 1 },
    semiSupervised: { start: 'student', fixMatch: { threshold: 0.1 } },
    students: {
      average: { similarity: { map: 'constant' } },
      'two-clips': { similarity: { clips: 2 } },
      'invariant-only': { student: { teacherPair: ['invariant'] } },
      twins: { student: { teacherPair: ['distinctive', 'distinctive'], epochs: 1, epochLength: 'longer' } },
      cached: { student: { teachers: 'cached', teacherConfidence: 0.5, teacherTemperature: 0.5, rampUp: 0.5 } },
      balanced: { student: { teacherBalance: 'labelled' } },
      logits: { student: { mixing: 'logits', distillation: 'kld', start: 'scratch', teachers: 'cached' } },
    },
  });
  const run = () => path.join(root, 'run');
  const stageFolder = (name: string) => path.join(run(), 'stages', name);

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope-ablations-'));
    data = path.join(root, 'videos');
    await writeTinyVideos(data);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('every classifier of the recipe is trained, tested and can predict; nothing is trained or kept twice', async () => {
    const before = memory().liveTensors;
    const evaluation = (await trainTimeBalance({ data, out: run(), recipe }))!;
    assert.equal(memory().liveTensors, before);
    const teachers = ['teacher-invariant', 'teacher-distinctive', 'teacher-distinctive-2'];
    const students = Object.keys(recipe.students).map((name) => `student-${name}`);
    assert.deepEqual(
      evaluation.stages.map(({ stage }) => stage),
      [...recipe.baselines, ...teachers, 'student', ...students],
    );
    for (const shared of ['similarity', 'similarity-two-clips', 'draw-1/predictions-invariant']) {
      assert.ok(existsSync(stageFolder(shared)), shared);
    }
    for (const none of ['similarity-average', 'similarity-cached', 'draw-1/predictions-invariant-logits']) {
      assert.ok(!existsSync(stageFolder(none)), none);
    }
    const [video] = await predictFiles(run(), [path.join(data, '_test/red/t0.mp4')], { stage: 'student-twins' });
    assert.ok('classes' in video!);
    await assert.rejects(evaluateRun(run(), { stages: ['supervised'] }), {
      code: 'stage-unknown',
      hint: /fixmatch.*student-twins|supervised/,
    });
  });

  test('the mean teacher keeps the average of the weights, under the names of a classifier', () => {
    const keys = (stage: string) => {
      const { tensors } = loadSafetensors(path.join(stageFolder(stage), 'model.safetensors'));
      for (const tensor of tensors.values()) tensor.dispose();
      return [...tensors.keys()];
    };
    assert.deepEqual(keys('draw-1/mean-teacher'), keys('draw-1/pseudo-label'));
    const { metrics } = RunFolder.open(run()).stage('draw-1/mean-teacher').result() as { metrics: object };
    assert.deepEqual(Object.keys(metrics), ['loss', 'supervised', 'accuracy', 'consistency']);
  });

  test('baselines and students that are interrupted after a step end with the same weights', async () => {
    const stages = ['mean-teacher', 'student-cached', 'student-balanced'] as const;
    const weights = () =>
      stages.map((stage) => readFileSync(path.join(stageFolder(`draw-1/${stage}`), 'model.safetensors')));
    const first = weights();
    // Asked again, the teachers say the same, though no student has learnt from them live this time.
    rmSync(stageFolder('draw-1/predictions-invariant'), { recursive: true });
    for (const stage of stages) {
      rmSync(stageFolder(`draw-1/${stage}`), { recursive: true });
      const controller = new AbortController();
      const begin = (title: string) => {
        if (title.startsWith(`${stage},`)) controller.abort();
        return { update: () => {}, end: () => {} };
      };
      const train = (options = {}) => trainTimeBalance({ data, out: run(), recipe, ...options });
      await assert.rejects(train({ progress: { begin, note: () => {} }, signal: controller.signal }), {
        code: 'interrupted',
      });
      assert.ok(existsSync(path.join(stageFolder(`draw-1/${stage}`), 'state.safetensors')), stage);
      if (stage === stages.at(-1)) await train();
    }
    assert.deepEqual(weights(), first);
  });
});
