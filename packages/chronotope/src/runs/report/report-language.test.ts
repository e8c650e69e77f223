import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { memory } from '@chronotope/torch';
import { TEMPLATES } from '../../language/templates.js';
import { tinyClipRecipe } from '../../testing/tiny-clip-recipe.js';
import { tinyLss, tinySvt } from '../../testing/tiny-lss.js';
import { writeTinyVideos } from '../../testing/tiny-videos.js';
import { readJson, writeJsonAtomic } from '../../training/json-files.js';
import { buildConcepts } from '../concepts.js';
import { convertModel } from '../convert-clip.js';
import { evaluateFeatures } from '../evaluate-features.js';
import { trainClip } from '../train-clip.js';
import { trainLss } from '../train-lss.js';
import { zeroShot } from '../zero-shot.js';
import { reportRun } from './report-run.js';

const sectionsOf = (page: string) => [...page.matchAll(/<section id="([^"]*)"/g)].map(([, id]) => id);
const accuracyOf = (page: string, network: string) =>
  page.match(new RegExp(`<th scope="row">${network}</th><td class="number">([\\d.]+)`))?.[1];
const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('chronotope-report-')).length;

describe('the report of a run that knows words', () => {
  let root = '';
  let clip = '';
  const inRoot = (name: string) => path.join(root, name);
  const report = async (run: string) =>
    readFileSync(await reportRun(inRoot(run), { out: inRoot(`${run}.html`) }), 'utf8');
  const train = { frames: '', data: '', workers: 0 };
  const fromClip = ['model.patch=8', 'model.width=16', 'model.depth=1', 'train.epochs=1'];

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope language report '));
    [train.data, train.frames, clip] = [inRoot('videos'), inRoot('frames'), inRoot('clip.safetensors')];
    await writeTinyVideos(train.data);
    const captioned = ['red/r0', 'red/r1', 'blue/b0', 'blue/b1', '_test/red/t0', '_test/blue/t1'];
    const lines = captioned.map((name) =>
      JSON.stringify({ path: `${name}.mp4`, text: `A ${path.basename(path.dirname(name))} film.` }),
    );
    writeFileSync(path.join(train.data, 'captions.jsonl'), lines.join('\n'));
    await trainClip({ ...train, out: inRoot('clip'), recipe: tinyClipRecipe('train.epochs=60') });
    convertModel(inRoot('clip'), clip);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('of CLIP: one frame against the mean of several, the concepts over time, mistakes, and nothing left behind', async () => {
    const before = [memory().liveTensors, leftovers()];
    const page = await report('clip');
    assert.deepEqual([memory().liveTensors, leftovers()], before);
    assert.deepEqual(sectionsOf(page), [
      ...[
        'results',
        'protocol',
        'gains',
        'features',
        'concepts',
        'failures',
        'confusion',
        'curves',
        'health',
        'ledger',
      ],
    ]);
    assert.match(page, /image CLIP, mean of 8 frames: 100\.0\s% of 2 test videos recognised/);
    assert.match(page, /The concepts are the 2 classes\./);
    assert.match(page, /red in moment 8/);
    assert.match(page, /6 training videos, 4 of them with a sentence to learn from; 2 test videos/);
    assert.match(page, /single frames, 16 × 16 pixels in patches of 8/);
    assert.match(page, /To train the same again:<\/p><pre tabindex="0">chronotope train clip \\\n/);
    assert.match(
      page,
      /<th scope="row">image CLIP, mean of 8 frames<\/th><td class="">videos by sentences<\/td><td class="number">2</,
    );
    const strips = [...page.matchAll(/src="data:image\/jpeg;base64,/g)].length;
    assert.equal(strips, 2, 'a strip for a video of each class, and no mistake');
  });

  test('of LSS: against the start and the image CLIP, in the concepts of the training; collapse is said', async () => {
    const concepts = inRoot('concepts.safetensors');
    buildConcepts(clip, { concepts: 'demo', templates: TEMPLATES.name, out: concepts });
    const words = [`model.pretrained=${clip}`, 'concepts.control=none', `concepts.file=${concepts}`];
    const whole = ['clips.virtualFrames=4', 'clips.segmentFrames=4'];
    await trainLss({ ...train, out: inRoot('lss'), recipe: tinyLss([...fromClip, ...words, ...whole]) });
    const teacher = inRoot('lss/stages/teacher/stage.json');
    writeJsonAtomic(teacher, { ...(readJson(teacher) as object), collapse: ['category: <the same> of every video'] });
    const page = await report('lss');
    assert.match(page, /recognised, \S+ points against “image CLIP, mean of 8 frames”/);
    assert.match(page, /<p>\S+ points against “this network before training”/);
    assert.match(page, /In percentage points over “image CLIP, mean of 8 frames”/);
    assert.match(
      page,
      /concepts: categories, weight 1; descriptions, weight 1; alignment of both \(aligned\), weight 1/,
    );
    assert.match(page, /uniform prior neg-mean-log, weight 1/);
    const commands = ['knn', 'linear', 'retrieval'].map((protocol) => `--protocol ${protocol}`);
    assert.ok(commands.every((command) => page.includes(command)));
    const { top1 } = await zeroShot(clip, train.data, { templates: TEMPLATES.kinetics, store: train.frames });
    assert.equal(accuracyOf(page, 'image CLIP, mean of 8 frames'), `${(100 * top1).toFixed(1)}`);
    for (const title of ['image CLIP, middle frame', 'student', 'teacher, the average of the student']) {
      assert.ok(page.includes(title), title);
    }
    assert.match(page, /A clip of this network covers all of a video/);
    assert.match(page, /The concepts are the \d+ of the training\./);
    assert.match(page, /Collapse\. category: &lt;the same&gt; of every video/);
    assert.match(page, /Course of categoryInformation/);
  });

  test('of SVT, and of LSS whose CLIP is gone: by labelled neighbours, with the reason', async () => {
    await trainLss({ ...train, out: inRoot('svt'), recipe: tinySvt(['train.epochs=1']) });
    const page = await report('svt');
    assert.match(page, /by their 4 most similar labelled training videos, because its network knows no words/);
    assert.match(page, /method SVT/);
    assert.ok(!sectionsOf(page).includes('concepts'));

    rmSync(clip);
    const { stages } = await evaluateFeatures(inRoot('lss'), { protocol: 'knn', k: [2] });
    const before = memory().liveTensors;
    const gone = await report('lss');
    assert.equal(memory().liveTensors, before);
    assert.match(gone, /because the file with the text tower that it started from is gone/);
    assert.match(gone, /is the CLIP that the run started from, whose image tower the run has kept/);
    assert.equal(accuracyOf(gone, 'image CLIP, mean of 8 frames'), '100.0', 'two colours, by their neighbours');
    const shown = gone.match(/<th scope="row">k-NN, k = 2<\/th>(.*)/)![1]!;
    const values = [...shown.matchAll(/<td class="number">([\d.]+)/g)].map(([, value]) => value);
    assert.deepEqual(
      values,
      stages.map(({ measures }) => (100 * measures.find(({ name }) => name === 'k = 2')!.value).toFixed(1)),
    );
    assert.ok(!gone.includes('--protocol knn') && gone.includes('--protocol linear'));
  });

  test('says what there is without test videos and without a trained network', async () => {
    const data = inRoot('svt/data.json');
    rmSync(inRoot('svt/stages'), { recursive: true });
    assert.match(await report('svt'), /There are no test results: no network is trained yet\./);
    writeJsonAtomic(data, { ...(readJson(data) as object), test: [] });
    const page = await report('svt');
    assert.match(page, /There are no test results/);
    assert.deepEqual(sectionsOf(page), ['results', 'protocol', 'health']);
  });
});
