import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encode } from '@chronotope/video';
import { framePaths } from '../data/manifest.js';
import { readDataset } from '../data/readers/read-dataset.js';
import { randomStream } from '../random.js';
import { loadRecipeOf } from '../recipes/load.js';
import { buildR2v2 } from './build-r2v2.js';
import { trainCcl } from './train-ccl.js';

const [WIDTH, HEIGHT, FPS, SECONDS] = [48, 40, 5, 12];

/** Noise that changes every second, with a black border at the top; or always the same frame. */
async function writeVideo(file: string, seed: number, changes = true): Promise<void> {
  const frameBytes = WIDTH * HEIGHT * 3;
  const data = new Uint8Array(SECONDS * FPS * frameBytes);
  for (let frame = 0; frame < SECONDS * FPS; frame++) {
    const random = randomStream(seed, 'noise', changes ? Math.floor(frame / FPS) : 0);
    // Blocks of 4 x 4 pixels survive the encoder.
    const levels = Array.from({ length: (WIDTH / 4) * (HEIGHT / 4) }, () => random.int(256));
    for (let k = 0; k < WIDTH * HEIGHT; k++) {
      const [x, y] = [k % WIDTH, Math.floor(k / WIDTH)];
      const level = y < 8 ? 0 : levels[Math.floor(y / 4) * (WIDTH / 4) + Math.floor(x / 4)]!;
      data.fill(level, frame * frameBytes + 3 * k, frame * frameBytes + 3 * k + 3);
    }
  }
  await encode(data, file, { width: WIDTH, height: HEIGHT, fps: FPS, crf: 4 });
}

describe('pictures in the layout of R2V2', () => {
  let root = '';
  const at = (...parts: string[]) => join(root, ...parts);
  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'chronotope-r2v2-'));
    mkdirSync(at('videos'));
    for (let k = 0; k < 5; k++) await writeVideo(at('videos', `${k}.mp4`), k);
    await writeVideo(at('videos', 'AbCdEfGh-_1.mp4'), 9);
    await writeVideo(at('videos', 'still.mp4'), 10, false);
    appendFileSync(at('videos', 'broken.mp4'), 'no video');
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('four pictures of each video that has them, without borders, and reasons for the others', async () => {
    const report = await buildR2v2({ data: at('videos'), out: at('pictures'), jobs: 2 });
    assert.deepEqual([report.videos, report.pictures, report.shortened], [7, 26, 7]);
    assert.deepEqual(
      report.skipped.map(({ id }) => id),
      ['broken.mp4'],
    );
    const { entries, format } = await readDataset(at('pictures'));
    assert.equal(format, 'r2v2');
    const known = entries.find(({ id }) => id === 'AbCdEfGh-_1')!;
    assert.equal(framePaths(known).length, 4);
    assert.ok(framePaths(known)[0]!.endsWith(join('train', 'Ab', 'AbCdEfGh-_1_000000.jpg')));
  });

  test('are chosen from the seed and the video alone, and not made twice', async () => {
    const files = (folder: string) =>
      readdirSync(at(folder, 'train'), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.jpg'))
        .sort();
    const times = () => files('pictures').map((name) => statSync(at('pictures', 'train', name)).mtimeMs);
    const before = times();
    appendFileSync(at('pictures', 'videos.jsonl'), '{"id":"cut sho');
    await buildR2v2({ data: at('videos'), out: at('pictures') });
    assert.deepEqual(times(), before);
    await buildR2v2({ data: at('videos'), out: at('again'), jobs: 1 });
    assert.deepEqual(files('again'), files('pictures'));
    for (const name of files('again')) {
      assert.deepEqual(readFileSync(at('again', 'train', name)), readFileSync(at('pictures', 'train', name)));
    }
  });

  test('other settings for the same folder are refused, and filters can be turned off', async () => {
    await assert.rejects(buildR2v2({ data: at('videos'), out: at('pictures'), seed: 2 }), { code: 'build-differs' });
    const filters = { similar: false, borders: false, flat: false };
    const { pictures } = await buildR2v2({ data: at('videos'), out: at('all'), filters, spacingSeconds: 1 });
    assert.equal(pictures, 28);
  });

  test('CCL trains from them', async () => {
    const recipe = loadRecipeOf('ccl', 'ccl-small', [
      'model.width=2',
      'model.embedding=8',
      'pretrain.epochs=1',
      'pretrain.batch=1',
      'queue.intra=4',
    ]);
    await trainCcl({ data: at('pictures'), out: at('run'), recipe });
    const line = readFileSync(at('run', 'stages', 'pretrain', 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .at(-1)!;
    assert.equal((JSON.parse(line) as { step: number }).step, 7);
  });
});
