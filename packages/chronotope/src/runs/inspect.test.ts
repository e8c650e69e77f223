import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encode } from '@chronotope/video';
import { ChronotopeError } from '../errors.js';
import { loadRecipeOf } from '../recipes/load.js';
import { inspectViews } from './inspect.js';

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
  const recipe = loadRecipeOf('timebalance', 'timebalance-demo', ['clips.shortVideo=reject']);
  const inspect = (sample?: string, options = {}) =>
    inspectViews({ data, recipe, stage: 'pretrain-student', sample, out: path.join(root, 'sheet.html'), ...options });

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
    const page = readFileSync(path.join(root, 'sheet.html'), 'utf8');
    const images = page.match(/<image /g)!.length;
    assert.equal(images, 8 + clips.length * recipe.clips.frames);
    const text = page.replaceAll('\u00a0', ' ');
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
    const missing = (error: unknown) =>
      error instanceof ChronotopeError && error.code === 'sample-missing' && /left\/a.mp4/.test(error.hint ?? '');
    await assert.rejects(inspect('a.mp4'), missing);
    await assert.rejects(inspect('b.mp4'), missing);
    assert.equal((await inspect(file)).id, 'right/a.mp4');
  });

  test('a video that is too short says so', async () => {
    await assert.rejects(
      inspect('short.mp4'),
      (error) => error instanceof ChronotopeError && /too short: 5 frames/.test(error.message),
    );
  });
});
