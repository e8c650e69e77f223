import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encode, encodePicture } from '@chronotope/video';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { formatRecipe, loadRecipeOf } from '../recipes/load.js';
import { type InspectOptions, inspectViews } from './inspect.js';
import { writeRunData } from './run-data.js';
import { RunFolder } from './run-folder.js';

const SIZE = 32;

/** A film of a bright bar that moves to the right by a pixel a frame. */
async function writeFilm(file: string, frames: number): Promise<void> {
  mkdirSync(path.dirname(file), { recursive: true });
  const pixels = Uint8Array.from({ length: frames * SIZE * SIZE * 3 }, (_, k) => {
    const [frame, column] = [Math.floor(k / (SIZE * SIZE * 3)), Math.floor(k / 3) % SIZE];
    return column === frame % SIZE ? 230 : 20;
  });
  await encode(pixels, file, { width: SIZE, height: SIZE, fps: 20 });
}

describe('inspecting views', () => {
  let root = '';
  let data = '';
  const settings = { recipe: 'timebalance-demo', set: ['clips.shortVideo=reject'] };
  const recipe = loadRecipeOf('timebalance', settings.recipe, settings.set);
  const inspect = (sample?: string, options: Partial<InspectOptions> = {}) =>
    inspectViews({ data, ...settings, sample, out: path.join(root, 'sheet.html'), ...options });
  const sheet = () => readFileSync(path.join(root, 'sheet.html'), 'utf8').replaceAll('\u00a0', ' ');

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope inspect '));
    data = path.join(root, 'videos');
    await writeFilm(path.join(data, 'left', 'a.mp4'), 40);
    await writeFilm(path.join(data, 'right', 'a.mp4'), 40);
    await writeFilm(path.join(data, 'right', 'short.mp4'), 5);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('the sheet shows every clip of the plan with what was drawn for it', async () => {
    const { id, clips } = await inspect('left/a.mp4');
    assert.equal(id, 'left/a.mp4');
    assert.equal(clips.length, 2 + 2 * recipe.clips.localClips);
    const text = sheet();
    assert.equal(text.match(/<image /g)!.length, 8 + clips.length * recipe.clips.frames);
    assert.match(text, /class left; stored 28 x 28, 40 frames, 20.00 a second/);
    for (const { augmentation, frames } of clips) {
      const { width, height, left, top } = augmentation.crop;
      assert.ok(text.includes(`${width} x ${height} at (${left}, ${top})`) || (width === 28 && height === 28));
      assert.ok(text.includes(`>${frames[0]} · ${(frames[0]! / 20).toFixed(2)} s<`));
    }
  });

  test('stages see a video in their own ways; another epoch has other ones, the same epoch the same', async () => {
    assert.equal((await inspect('left/a.mp4', { stage: 'student' })).clips.length, 1);
    assert.equal((await inspect('left/a.mp4', { stage: 'evaluation' })).clips.length, recipe.evaluation.clips);
    const drawn = async (epoch: number) =>
      JSON.stringify((await inspect('left/a.mp4', { epoch, stage: 'student' })).clips);
    assert.equal(await drawn(1), await drawn(1));
    assert.notEqual(await drawn(1), await drawn(2));
  });

  test('a single file serves as data; a name that fits several videos, or none, is refused with examples', async () => {
    const file = path.join(data, 'right', 'a.mp4');
    assert.equal((await inspect(undefined, { data: file })).id, 'a.mp4');
    const unclear: [sample: string, hint: string][] = [
      ['a.mp4', 'Did you mean left/a.mp4 or right/a.mp4?'],
      ['b.mp4', 'Did you mean left/a.mp4 or right/a.mp4?'],
      ['rihgt/shrot.mp4', 'Did you mean right/short.mp4?'],
      ['right/short', 'Did you mean right/short.mp4?'],
      ['elsewhere.mkv', 'Give an id, such as left/a.mp4, right/a.mp4, right/short.mp4.'],
    ];
    for (const [sample, hint] of unclear) await assert.rejects(inspect(sample), { code: 'sample-missing', hint });
    assert.equal((await inspect(file)).id, 'right/a.mp4');
  });

  test('each method shows the views that its own loader makes', async () => {
    const views = async (recipe: string, options: Partial<InspectOptions> = {}) => {
      const { method, stage, clips } = await inspect('left/a.mp4', {
        recipe,
        set: ['frames.shortSide=24'],
        ...options,
      });
      assert.match(sheet(), new RegExp(`${method}: views of ${stage}, epoch 0`));
      return clips.map(({ view, frames, size }) => `${view.name} ${frames.length} x ${size}`);
    };
    const ccl = loadRecipeOf('ccl', 'ccl-small');
    assert.deepEqual((await views('ccl-small')).slice(0, 3), [
      `query 1 x ${ccl.inputSize}`,
      `key 1 x ${ccl.inputSize}`,
      `candidates 1 x ${ccl.inputSize}`,
    ]);
    const { frames, localSize, localViews } = loadRecipeOf('lss', 'lss-tiny').clips;
    const { inputSize } = loadRecipeOf('lss', 'lss-tiny');
    assert.deepEqual(await views('lss-tiny'), [
      ...Array(2).fill(`globals ${frames} x ${inputSize}`),
      ...Array(localViews).fill(`locals ${frames} x ${localSize}`),
    ]);
    const clip = loadRecipeOf('clip', 'clip-tiny');
    assert.deepEqual(await views('clip-tiny'), [`clip 1 x ${clip.inputSize}`]);
    assert.equal((await views('clip-tiny', { stage: 'evaluation' })).length, clip.evaluation.clips);
    assert.equal((await views('frames-small')).length, 1);
    await assert.rejects(inspect(undefined, { recipe: 'ccl-small', set: [], stage: 'student' }), {
      code: 'stage-unknown',
      hint: /pretrain, evaluation/,
    });
  });

  test('lists, published layouts and images are inspected like class folders', async () => {
    const list = path.join(root, 'films.csv');
    writeFileSync(list, 'path,label\nvideos/gone.mp4,left\nvideos/left/a.mp4,left\n');
    assert.equal((await inspect(undefined, { data: list })).id, 'videos/left/a.mp4');
    writeFileSync(path.join(root, 'films.txt'), 'videos/right/a.mp4\n');
    assert.equal((await inspect(undefined, { data: path.join(root, 'films.txt') })).id, 'videos/right/a.mp4');

    const pictures = path.join(root, 'pictures');
    for (const name of ['jump/one.png', 'walk/two.png']) {
      mkdirSync(path.dirname(path.join(pictures, name)), { recursive: true });
      const data = new Uint8Array(SIZE * SIZE * 3).fill(90);
      writeFileSync(path.join(pictures, name), await encodePicture({ data, width: SIZE, height: SIZE }));
    }
    const set = ['clips.frames=1', 'clips.shortVideo=loop'];
    const { id, clips } = await inspect('two.png', { data: pictures, recipe: 'frames-small', set });
    assert.deepEqual([id, clips.map(({ frames }) => frames)], ['walk/two.png', [[0]]]);
    assert.match(sheet(), /class walk; stored .*, one frame/);
  });

  test('a run shows its own videos with its own settings', async () => {
    const run = RunFolder.createOrContinue(path.join(root, 'run'), { method: 'ccl', classes: [], fingerprint: 'x' });
    writeFileSync(run.path('recipe.yaml'), formatRecipe(loadRecipeOf('ccl', 'ccl-small', ['inputSize=20'])));
    const training: ManifestEntry[] = [
      { id: 'left/a.mp4', path: path.join(data, 'left', 'a.mp4'), label: null, split: 'train' },
    ];
    writeRunData(run, { folder: data, training, draws: [training], test: [], choice: {} });
    const { method, stage, clips } = await inspect(undefined, { data: run.folder, recipe: undefined, set: [] });
    assert.deepEqual([method, stage, clips[0]!.size], ['ccl', 'pretrain', 20]);
    const elsewhere = await inspect('right/a.mp4', { recipe: run.folder, set: [] });
    assert.deepEqual([elsewhere.id, elsewhere.clips[0]!.size], ['right/a.mp4', 20]);
  });

  test('a video that is too short says so', async () => {
    await assert.rejects(
      inspect('short.mp4'),
      (error) => error instanceof ChronotopeError && /too short: 5 frames/.test(error.message),
    );
  });
});
