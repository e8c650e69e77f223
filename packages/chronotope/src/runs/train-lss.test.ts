import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadSafetensors, randn, saveSafetensors, scope } from '@chronotope/torch';
import { tinyLss, tinySvt } from '../testing/tiny-lss.js';
import { writeTinyVideos } from '../testing/tiny-videos.js';
import type { Progress } from '../training/progress.js';
import { embedVideos } from './embed.js';
import { evaluateFeatures } from './evaluate-features.js';
import { trainLss } from './train-lss.js';

describe('LSS, end to end', () => {
  let root = '';
  let data = '';
  const train = (out: string, options: Partial<Parameters<typeof trainLss>[0]> = {}) =>
    trainLss({
      ...{ data, out: path.join(root, out), frames: path.join(root, 'frames'), workers: 0 },
      ...{ recipe: tinyLss(), ...options },
    });
  const file = (run: string, ...parts: string[]) => path.join(root, run, 'stages', ...parts);
  const model = (run: string, stage: string) => readFileSync(file(run, stage, 'model.safetensors'));

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope lss '));
    data = path.join(root, 'videos');
    await writeTinyVideos(data);
    await train('undisturbed');
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('a run leaves the network of the start, the student, the teacher and the concepts; the metrics name each loss', () => {
    const [start, student, teacher] = ['start', 'student', 'teacher'].map((stage) => model('undisturbed', stage));
    assert.notDeepEqual(start, student);
    assert.notDeepEqual(start, teacher);
    const lines = readFileSync(file('undisturbed', 'self-distillation', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const { metrics } = JSON.parse(lines.at(-1)!) as { metrics: Record<string, number> };
    for (const name of [
      'category',
      'description',
      'alignment',
      'categoryUniform',
      'categoryInformation',
      'agreement',
    ]) {
      assert.ok(Number.isFinite(metrics[name]), name);
    }
    const concepts = loadSafetensors(file('undisturbed', 'concepts', 'model.safetensors')).tensors;
    assert.deepEqual([...concepts.get('category.axes')!.shape], [5, 8]);
  });

  for (const [name, recipe] of [
    [
      'LSS with a running prior and centres',
      tinyLss(['objective.uniformKind=neg-mean-log-running', 'objective.center=true']),
    ],
    ['SVT', tinySvt()],
  ] as const) {
    test(`${name}: stopped after every step and started again, it ends with the same weights bit for bit`, async () => {
      await train(`${name} whole`, { recipe });
      const out = `${name} stopped`;
      let stops = 0;
      for (let isDone = false; !isDone; ) {
        const stop = new AbortController();
        await train(out, { recipe, progress: stoppingAtOnce(stop), signal: stop.signal }).then(
          () => {
            isDone = true;
          },
          (error: { code?: string }) => {
            assert.equal(error.code, 'interrupted');
            stops++;
          },
        );
      }
      assert.equal(stops, 3, 'of 4 steps');
      for (const stage of ['self-distillation', 'student', 'teacher']) {
        assert.deepEqual(model(out, stage), model(`${name} whole`, stage), stage);
      }
    });
  }

  test('a frozen teacher stays as it began, a copied one is the student', async () => {
    await train('frozen', { recipe: tinyLss(['teacher.kind=frozen', 'train.epochs=1']) });
    assert.deepEqual(weightsOf('frozen', 'teacher'), weightsOf('frozen', 'start'));
    await train('copied', { recipe: tinyLss(['teacher.kind=copy', 'train.epochs=1']) });
    assert.deepEqual(weightsOf('copied', 'teacher'), weightsOf('copied', 'student'));
  });

  test('its features are evaluated by neighbours, probe and retrieval, and written for other programs', async () => {
    const run = path.join(root, 'undisturbed');
    for (const protocol of ['knn', 'linear', 'linear-sgd', 'retrieval'] as const) {
      const { stages, videos } = await evaluateFeatures(run, { protocol });
      assert.equal(videos, 2);
      assert.deepEqual(
        stages.map(({ stage }) => stage),
        ['start', 'student', 'teacher'],
      );
    }
    const out = path.join(root, 'features.safetensors');
    const { dimensions } = await embedVideos(run, [path.join(data, '_test/red/t0.mp4')], { out });
    assert.equal(dimensions, 12);
    assert.equal(loadSafetensors(out).metadata.stage, 'teacher');
  });

  test('concepts come from a file; another file is another run; files of no use are named', async () => {
    const concepts = path.join(root, 'concepts.safetensors');
    const names = ['jump', 'run', 'swim'];
    const write = (hash: string, embedding = 8) =>
      scope(() => {
        const vectors = {
          category: randn([3, embedding]),
          description: randn([3, embedding]),
          descriptions: randn([6, embedding]),
        };
        const facts = {
          hash,
          names,
          sentences: Array(6).fill('…'),
          classOf: [0, 0, 1, 1, 2, 2],
          templates: [],
          control: null,
        };
        saveSafetensors(concepts, vectors, {
          metadata: { format: 'chronotope-concepts-1', concepts: JSON.stringify(facts) },
        });
      });
    const recipe = tinyLss(['concepts.control=none', `concepts.file=${concepts}`, 'train.epochs=1']);
    write('one');
    await train('concepts', { recipe });
    assert.deepEqual(JSON.parse(readFileSync(file('concepts', 'concepts', 'stage.json'), 'utf8')).names, names);
    write('two');
    await assert.rejects(train('concepts', { recipe }), { code: 'run-differs' });
    write('three', 9);
    await assert.rejects(train('other size', { recipe }), { code: 'concepts-differ', message: /9 numbers/ });
    const foreign = tinyLss(['concepts.control=none', `concepts.file=${path.join(root, 'features.safetensors')}`]);
    await assert.rejects(train('foreign', { recipe: foreign }), { code: 'not-concepts' });
    const missing = tinyLss(['concepts.control=none', 'concepts.file=nowhere.safetensors']);
    await assert.rejects(train('missing', { recipe: missing }), { code: 'io' });
  });

  test('settings that contradict each other are refused with their names', () => {
    for (const [overrides, message] of [
      [['concepts.control=none'], /concepts\.file: or list must name concepts/],
      [['concepts.list=demo'], /model\.pretrained: must name a CLIP/],
      [['concepts.list=demo', 'concepts.file=a.safetensors'], /concepts\.list: must be null/],
      [['training.ema.decay=0.9'], /ema\.decay: must be null: the teacher is the average/],
      [['concepts.descriptions=none'], /concepts\.descriptions: must not be none/],
      [['clips.localSize=10'], /clips\.localSize: must be a multiple of model\.patch/],
      [['head.kind=dino'], /objective\.uniform: is of concept spaces/],
      [['model.heads=5'], /model\.heads: must divide model\.width/],
      [['model.attention=joint', 'train.freezeSpace=true'], /freezeSpace: leaves nothing to learn over time/],
    ] as [string[], RegExp][]) {
      assert.throws(() => tinyLss(overrides), { code: 'recipe-invalid', message });
    }
  });

  /** Stops training after the first step that it makes. */
  const stoppingAtOnce = (stop: AbortController): Progress => ({
    begin: (title) => {
      if (/distillation/.test(title)) stop.abort();
      return { update: () => {}, end: () => {} };
    },
    note: () => {},
  });

  const weightsOf = (run: string, stage: string) =>
    scope(() => {
      const { tensors } = loadSafetensors(file(run, stage, 'model.safetensors'));
      return [...tensors].map(([key, value]) => [key, value.toArray()]);
    });
});
