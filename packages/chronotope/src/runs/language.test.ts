import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadSafetensors, saveSafetensors, version, zeros } from '@chronotope/torch';
import { conceptsOfNames, readConcepts } from '../language/concept-file.js';
import { TEMPLATES } from '../language/templates.js';
import { Clip, saveClip } from '../models/clip/index.js';
import { tinyClipRecipe } from '../testing/tiny-clip-recipe.js';
import { tinyLss } from '../testing/tiny-lss.js';
import { tinyRecipe, writeTinyVideos } from '../testing/tiny-videos.js';
import { buildConcepts, loadConcepts, nearestConcepts } from './concepts.js';
import { convertModel } from './convert-clip.js';
import { embedVideos } from './embed.js';
import { evaluateFeatures } from './evaluate-features.js';
import { exportRun } from './export-weights.js';
import { proposeLabels, writeProposals } from './label-by-words.js';
import { predictFiles } from './predict.js';
import { searchVideos } from './search.js';
import { trainClip } from './train-clip.js';
import { trainLss } from './train-lss.js';
import { trainTimeBalance } from './train-timebalance.js';
import { readTrainingData } from './training-data.js';
import { retrieveByCaption, zeroShot } from './zero-shot.js';

const CAPTIONS: Record<string, string> = {
  'red/r0.mp4': 'A red film.',
  'red/r1.mp4': 'Everything is red.',
  'blue/b0.mp4': 'A blue film.',
  'blue/b1.mp4': 'Everything is blue.',
  '_test/red/t0.mp4': 'Red, all red.',
  '_test/blue/t1.mp4': 'Blue, all blue.',
};

describe('videos and words', () => {
  let root = '';
  let data = '';
  let run = '';
  /** Shared, so that the videos are decoded once. */
  let store = '';
  const inRoot = (name: string) => path.join(root, name);

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope language '));
    [data, run, store] = [inRoot('videos'), inRoot('run'), inRoot('frames')];
    await writeTinyVideos(data);
    const lines = Object.entries(CAPTIONS).map(([name, text]) => JSON.stringify({ path: name, text }));
    writeFileSync(path.join(data, 'captions.jsonl'), lines.join('\n'));
    writeFileSync(inRoot('concepts.yaml'), 'blue: everything is blue\nred:\ngreen: neither of them\n');
    await trainClip({ data, out: run, frames: store, recipe: tinyClipRecipe('train.epochs=60') });
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('a run of CLIP learns colours from captions, recognises them by name, and finds videos by captions', async () => {
    const result = await zeroShot(run, data, { templates: ['a {} film.'], store });
    assert.deepEqual([result.top1, result.videos, result.classes], [1, 2, ['blue', 'red']]);
    assert.deepEqual(result.prompts, ['a blue film.']);
    const concepts = readConcepts(inRoot('concepts.yaml'));
    const described = await zeroShot(run, data, { templates: ['{}'], concepts, store });
    assert.deepEqual([described.top1, described.prompts], [1, ['blue', 'everything is blue']]);
    await assert.rejects(zeroShot(run, data, { templates: ['{}'], concepts: concepts.slice(1), store }), {
      code: 'concepts-incomplete',
      message: /lack classes of the data: blue/,
    });
    const found = await retrieveByCaption(run, data, { store });
    assert.equal(found.textToVideo.recall[0]!.value, 1);
    assert.equal(found.videoToText.medianRank, 1);
  });

  test('its weights in a file do the same as the run', async () => {
    assert.deepEqual(convertModel(run, inRoot('clip.safetensors'), { format: 'huggingface' }), { ignored: [] });
    assert.throws(() => exportRun(run, { out: inRoot('w.pth') }), { code: 'weights-format', hint: /weights convert/ });
    const [fromRun, fromFile] = [run, inRoot('clip.safetensors')].map((source) =>
      zeroShot(source, data, { templates: ['a {} film.'], clips: 2 }),
    );
    assert.equal((await fromFile!).top1, (await fromRun!).top1);
  });

  test('its image tower serves the protocols for features', async () => {
    const evaluation = await evaluateFeatures(run, { protocol: 'knn' });
    assert.equal(evaluation.stages[0]!.measures[0]!.value, 1);
    const { dimensions } = await embedVideos(run, [data], { out: inRoot('features.safetensors') });
    assert.equal(dimensions, 16);
  });

  test('a search ranks all videos, and its index is used until weights, videos or views differ', async () => {
    const index = inRoot('index.safetensors');
    const search = (words: string, clips?: number) => searchVideos(run, data, words, { index, clips, count: 4, store });
    const { hits, videos } = await search('a red film');
    assert.equal(videos, 8);
    assert.deepEqual(hits.map(({ id }) => id).toSorted(), [
      '_test/red/t0.mp4',
      '_unlabelled/u0.mp4',
      'red/r0.mp4',
      'red/r1.mp4',
    ]);
    const made = statSync(index).mtimeMs;
    const again = await search('everything is blue');
    assert.ok(again.hits.every(({ id }) => /b\d|u1|t1/.test(id)));
    assert.equal(statSync(index).mtimeMs, made);
    await search('everything is blue', 3);
    assert.notEqual(statSync(index).mtimeMs, made);
    await assert.rejects(search(' '), { code: 'no-words' });

    const list = inRoot('manifest.jsonl');
    const lines = ['videos/red/r0.mp4', 'videos/gone.mp4'].map((file) =>
      JSON.stringify({ id: file, path: file, label: null, split: 'train' }),
    );
    writeFileSync(list, lines.join('\n'));
    const listed = await searchVideos(run, list, 'a red film', { index: inRoot('listed.safetensors') });
    assert.deepEqual([listed.videos, listed.excluded.map(({ id }) => id)], [1, ['videos/gone.mp4']]);
  });

  test('labels are proposed from names alone, and the list of them is training data', async () => {
    const concepts = conceptsOfNames(['red', 'blue']);
    const options = { concepts, templates: ['a {} film.'], store };
    const { proposals, test: tests } = await proposeLabels(run, data, options);
    assert.equal(proposals.length, 6);
    for (const { entry, label } of proposals) assert.equal(label, /r\d|u0/.test(entry.id) ? 'red' : 'blue', entry.id);
    const file = inRoot('proposed/labels.csv');
    writeProposals(file, proposals, tests);
    assert.match(readFileSync(file, 'utf8'), /^path,label,split,confidence\n\.\.\/videos\//);
    const { entries, classes } = await readTrainingData(file);
    assert.deepEqual(classes, ['blue', 'red']);
    assert.deepEqual(entries.filter(({ split }) => split === 'test').length, 2);

    const flat = inRoot('flat');
    mkdirSync(path.join(flat, '_unlabelled'), { recursive: true });
    for (const name of ['red/r0', 'red/r1', 'blue/b0', 'blue/b1']) {
      copyFileSync(path.join(data, `${name}.mp4`), path.join(flat, '_unlabelled', `${path.basename(name)}.mp4`));
    }
    // Test videos of "Red" and "Blue": words of any case are the class as the data spell it.
    for (const [name, source] of [
      ['Red', 'red/t0'],
      ['Blue', 'blue/t1'],
    ] as const) {
      mkdirSync(path.join(flat, '_test', name), { recursive: true });
      copyFileSync(path.join(data, '_test', `${source}.mp4`), path.join(flat, '_test', name, 'x.mp4'));
    }
    const unlabelled = await proposeLabels(run, flat, options);
    const proposed = inRoot('flat-labels.csv');
    writeProposals(proposed, unlabelled.proposals, unlabelled.test);
    const evaluation = await trainTimeBalance({
      ...{ data: flat, labelsFile: proposed, out: inRoot('without-labels'), recipe: tinyRecipe(), workers: 0 },
    });
    assert.deepEqual(evaluation!.classes, ['Blue', 'Red']);
    assert.equal(evaluation!.stages.find(({ stage }) => stage === 'supervised')!.top1.value, 1);

    const few = await proposeLabels(run, data, { ...options, perClass: 1 });
    assert.deepEqual(
      few.proposals
        .map(({ label }) => label)
        .filter(Boolean)
        .toSorted(),
      ['blue', 'red'],
    );
    const unsure = { ...options, templates: ['{}'], leastConfidence: 1.01 };
    assert.ok((await proposeLabels(run, data, unsure)).proposals.every(({ label }) => label === null));
    await assert.rejects(proposeLabels(run, data, { ...options, concepts: conceptsOfNames(['red']) }), {
      code: 'one-class',
    });
  });

  test('a concept space is built once, kept as long as nothing it depends on changes, and read back', () => {
    const options = { concepts: 'demo', templates: TEMPLATES.single, out: inRoot('concepts.safetensors') };
    const built = buildConcepts(run, options);
    assert.equal(built.reused, false);
    assert.equal(buildConcepts(run, options).reused, true);
    const read = loadConcepts(options.out);
    assert.deepEqual([read.hash, read.space.names, read.templates], [built.hash, built.space.names, TEMPLATES.single]);
    assert.deepEqual(read.space.description!.toArray(), built.space.description!.toArray());
    assert.deepEqual(read.space.sentences, built.space.sentences);
    const nearest = nearestConcepts(read.space);
    assert.equal(nearest.length, built.space.names.length);
    assert.ok(nearest.every(({ name, nearest: other, similarity }) => name !== other && similarity <= 1.00001));
    const control = buildConcepts(run, { ...options, control: 'random' });
    assert.deepEqual([control.reused, control.control], [false, 'random']);
    assert.notEqual(control.hash, built.hash);
    assert.deepEqual([...loadSafetensors(options.out).tensors.keys()].toSorted(), [
      'category',
      'description',
      'descriptions',
    ]);
    assert.throws(() => loadConcepts(inRoot('clip.safetensors')), { code: 'not-concepts' });
  });

  test('a run of LSS that started from the CLIP knows the same words', async () => {
    const clip = inRoot('start.safetensors');
    convertModel(run, clip);
    const shape = ['model.patch=8', 'model.width=16', 'model.depth=1', `model.pretrained=${clip}`];
    const out = inRoot('lss');
    await trainLss({ data, out, frames: store, recipe: tinyLss([...shape, 'train.epochs=1']) });
    const templates = ['a {} film.'];
    assert.equal((await zeroShot(out, data, { templates, store, stage: 'start' })).top1, 1);
    const { hits } = await searchVideos(out, data, 'a red film', { count: 4, store });
    assert.ok(hits.every(({ id }) => /r\d|u0|t0/.test(id)));
    assert.throws(() => convertModel(out, inRoot('x.safetensors')), { code: 'weights-format', hint: /weights export/ });

    // Transductive: the concepts are the classes of the videos that are learnt from, without a label of any.
    const ofData = ['concepts.list=data', 'concepts.control=none', 'concepts.descriptions=none'];
    const namesOnly = [...ofData, 'objective.description=0', 'objective.alignment=0', 'concepts.templates=name'];
    const transductive = inRoot('transductive');
    const train = (...overrides: string[]) =>
      trainLss({ data, out: transductive, frames: store, recipe: tinyLss([...shape, 'train.epochs=1', ...overrides]) });
    await train(...namesOnly);
    const stage = JSON.parse(readFileSync(path.join(transductive, 'stages/concepts/stage.json'), 'utf8'));
    assert.deepEqual(stage.names, ['blue', 'red']);
    assert.equal((await zeroShot(transductive, data, { templates, store })).videos, 2);
    await assert.rejects(train('concepts.list=data', 'concepts.control=none'), { code: 'run-differs' });
  });

  test('words in any script, of any length, are searched for and become classes; those that are the same are refused', async () => {
    for (const words of ['красный фильм', '赤い映画', 'قصة حمراء', '🎬', 'red '.repeat(2500)]) {
      assert.equal((await searchVideos(run, data, words, { store, count: 1 })).hits.length, 1, words.slice(0, 20));
    }
    const concepts = conceptsOfNames(['赤い', 'синий']);
    const { proposals } = await proposeLabels(run, data, { concepts, templates: TEMPLATES.single, store });
    assert.ok(proposals.every(({ label }) => label === '赤い' || label === 'синий'));
    const file = inRoot('labels-in-scripts.csv');
    writeProposals(file, proposals, []);
    assert.equal((await readTrainingData(file)).entries.length, proposals.length);
    assert.throws(() => conceptsOfNames('open door,OpenDoor'.split(','), '--words'), {
      code: 'concepts-repeated',
      message: /--words has "open door" and "OpenDoor"/,
    });
  });

  test('weights of something else, of another shape or another vocabulary are refused by name, before videos are decoded', async () => {
    const towers = { image: { width: 8, layers: 1, heads: 1, resolution: 16, patch: 8 }, embedding: 8 };
    const text = { width: 8, layers: 1, heads: 1, context: 8 };
    const shaped = (name: string, vocabulary: number) => {
      const clip = new Clip({ ...towers, text: { ...text, vocabulary }, activation: 'quick-gelu' });
      saveClip(clip, inRoot(name));
      clip.dispose();
      return inRoot(name);
    };
    const templates = ['{}'];
    const foreign = shaped('foreign.safetensors', 60_000);
    await assert.rejects(zeroShot(foreign, data, { templates }), {
      code: 'vocabulary-mismatch',
      message: /60000 tokens/,
    });
    const other = inRoot('features.safetensors');
    saveSafetensors(other, { features: zeros([2, 3]) });
    for (const asked of [zeroShot(other, data, { templates }), searchVideos(other, data, 'red')]) {
      await assert.rejects(asked, { code: 'not-clip', message: /features\.safetensors/ });
    }
    const narrow = shaped('narrow.safetensors', 1000);
    for (const [file, code] of [
      [narrow, 'weights-differ'],
      [other, 'not-clip'],
    ] as const) {
      const recipe = tinyLss([`model.pretrained=${file}`]);
      await assert.rejects(trainLss({ data, out: inRoot('wrong'), recipe }), {
        code,
        message: new RegExp(path.basename(file)),
      });
    }
    const recipe = tinyClipRecipe(`model.pretrained=${narrow}`);
    await assert.rejects(trainClip({ data, out: inRoot('wrong clip'), frames: store, recipe }), {
      code: 'weights-differ',
    });
  });

  const skip = version().cudaDevices > 0 ? 'here is a GPU' : false;
  test('everything computes on the CPU where that is asked for; a GPU that is not there is an error', {
    skip,
  }, async () => {
    const [onCpu, onGpu] = [{ device: 'cpu', store } as const, { device: 'cuda', store } as const];
    const templates = ['a {} film.'];
    const out = inRoot('on-device.safetensors');
    assert.equal((await zeroShot(run, data, { ...onCpu, templates })).top1, 1);
    assert.equal((await embedVideos(run, [data], { out, device: 'cpu' })).videos, 8);
    assert.equal((await searchVideos(run, data, 'red', onCpu)).videos, 8);
    const concepts = conceptsOfNames(['red', 'blue']);
    for (const asked of [
      zeroShot(run, data, { ...onGpu, templates }),
      retrieveByCaption(run, data, onGpu),
      searchVideos(run, data, 'red', onGpu),
      proposeLabels(run, data, { ...onGpu, concepts, templates }),
      embedVideos(run, [data], { out, device: 'cuda' }),
      evaluateFeatures(run, { protocol: 'knn', device: 'cuda' }),
      predictFiles(run, ['a.mp4'], { device: 'cuda' }),
      trainClip({ data, out: inRoot('gpu'), recipe: tinyClipRecipe(), device: 'cuda' }),
    ]) {
      await assert.rejects(asked, { code: 'no-gpu', hint: /Leave --device out to use the CPU/ });
    }
  });

  test('a run is not continued with other captions, which the error names; those of test videos do not count', async () => {
    const file = path.join(data, 'captions.jsonl');
    const kept = readFileSync(file, 'utf8');
    const again = () => trainClip({ data, out: run, frames: store, recipe: tinyClipRecipe('train.epochs=60') });
    writeFileSync(file, kept.replace('Red, all red.', 'Something else.'));
    await again();
    writeFileSync(file, kept.replace('Everything is red.', 'Everything is green.'));
    await assert.rejects(again(), { code: 'run-differs', message: /with other captions/, hint: /another --out/ });
    writeFileSync(file, kept);
    await again();
  });

  test('data without captions are refused with what to do', async () => {
    rmSync(path.join(data, 'captions.jsonl'));
    const recipe = tinyClipRecipe('train.epochs=60');
    await assert.rejects(trainClip({ data, out: inRoot('other'), frames: store, recipe }), {
      code: 'no-captions',
      hint: /captions\.jsonl/,
    });
    await assert.rejects(retrieveByCaption(run, data), { code: 'no-captions' });
  });
});
