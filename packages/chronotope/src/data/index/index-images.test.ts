import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { encode, encodePicture } from '@chronotope/video';
import { pack } from 'tar-stream';
import { readJsonLines } from '../json-lines.js';
import { indexedManifestFormat, quarantineFormat } from './facts.js';
import { indexVideos } from './index-videos.js';

const root = mkdtempSync(join(tmpdir(), 'chronotope-index-images-'));
after(() => rmSync(root, { recursive: true }));

const [WIDTH, HEIGHT] = [32, 24];

/** A picture with a bright square at `x` on a background of stripes that `seed` tells apart. */
function pixels(x: number, seed: number, width = WIDTH): Uint8Array {
  const data = new Uint8Array(width * HEIGHT * 3);
  for (let k = 0; k < width * HEIGHT; k++) {
    const [row, column] = [Math.floor(k / width), k % width];
    const inside = row > 4 && row < 14 && column >= x && column < x + 8;
    data.fill(inside ? 250 : ((row * seed + column * (seed % 3)) * 37) % 120, 3 * k, 3 * k + 3);
  }
  return data;
}

async function writePicture(path: string, x: number, seed: number, width = WIDTH): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await encodePicture({ data: pixels(x, seed, width), width, height: HEIGHT }, { format: 'jpeg' }));
}

async function writeSequence(folder: string, seed: number, count = 20): Promise<void> {
  for (let k = 1; k <= count; k++) await writePicture(join(folder, `${String(k).padStart(4, '0')}.jpg`), k, seed);
}

function resultsOf(out: string) {
  const usable = [...readJsonLines(join(out, 'manifest.jsonl'), indexedManifestFormat)].map(({ value }) => value);
  const left = [...readJsonLines(join(out, 'quarantine.jsonl'), quarantineFormat)].map(({ value }) => value);
  return { usable, left: Object.fromEntries(left.map(({ id, code }) => [id, code])) };
}

const inspectedBy = (summaries: string[]) => ({
  begin: () => ({ update: () => {}, end: (summary?: string) => summaries.push(summary ?? '') }),
  note: () => {},
});

test('folders of frames get a health report: copies in the test part, images of another size, broken ones', async () => {
  const source = join(root, 'frames');
  const folder = (id: string) => join(source, ...id.split('/'));
  await writeSequence(folder('train/run/a'), 3);
  await writeSequence(folder('train/run/b'), 5);
  await writeSequence(folder('train/walk/c'), 7);
  await writeSequence(folder('train/walk/d'), 11);
  await writeSequence(folder('test/walk/copy'), 3);
  await writePicture(join(folder('train/run/b'), '0007.jpg'), 7, 5, 40);
  writeFileSync(join(folder('train/walk/d'), '0003.jpg'), 'no image');
  const out = join(root, 'frames.index');
  const report = await indexVideos({ source, out });
  const { usable, left } = resultsOf(out);
  assert.deepEqual(left, { 'train/walk/d': 'undecodable' });
  assert.deepEqual(usable.map(({ id }) => id).sort(), ['test/walk/copy', 'train/run/a', 'train/run/b', 'train/walk/c']);
  const { video, frames } = usable.find(({ id }) => id === 'train/run/b')!;
  assert.deepEqual([video.container, video.codec, video.frames, video.width], ['images', 'jpeg', 20, WIDTH]);
  assert.deepEqual(frames, { pattern: '%04d.jpg', first: 1, count: 20 });
  assert.match(report.findings.find(({ code }) => code === 'damaged')!.examples[0]!, /1 of 20 images are not 32x24/);
  const [leak] = report.duplicates;
  assert.deepEqual([leak!.acrossSplits, leak!.members.map(({ id }) => id)], [true, ['test/walk/copy', 'train/run/a']]);

  const summaries: string[] = [];
  assert.deepEqual(await indexVideos({ source, out, progress: inspectedBy(summaries) }), report);
  await writePicture(join(folder('train/walk/d'), '0003.jpg'), 3, 11);
  assert.equal((await indexVideos({ source, out, progress: inspectedBy(summaries) })).usable, 5);
  assert.deepEqual(summaries, ['0 inspected, 5 known', '1 inspected, 4 known']);
});

test('single images in class folders are looked at, and nobody complains that they are short', async () => {
  const source = join(root, 'images');
  for (const [k, name] of ['a/one', 'a/two', 'b/three', 'b/four'].entries()) {
    await writePicture(join(source, 'train', `${name}.jpg`), 4 * k, k + 2);
  }
  const report = await indexVideos({ source, out: join(root, 'images.index') });
  assert.deepEqual([report.usable, report.mix.containers], [4, [{ value: 'image', videos: 4 }]]);
  assert.equal(
    report.findings.find(({ code }) => code === 'very-short'),
    undefined,
  );
});

test('videos in tar archives are looked at without unpacking; a broken one is left out', async () => {
  const source = join(root, 'shards');
  mkdirSync(source);
  const files: Buffer[] = [];
  for (const seed of [3, 5, 7]) {
    const path = join(root, `${seed}.mp4`);
    const frames = Array.from({ length: 20 }, (_, k) => pixels(k, seed));
    await encode(frames, path, { width: WIDTH, height: HEIGHT, fps: 25 });
    files.push(readFileSync(path));
  }
  const archive = pack();
  for (const [k, bytes] of [files[0]!, files[1]!, files[0]!, files[2]!.subarray(0, 900)].entries()) {
    archive.entry({ name: `00${k}.mp4` }, bytes);
    archive.entry({ name: `00${k}.cls` }, k % 2 === 0 ? 'run' : 'walk');
  }
  archive.finalize();
  writeFileSync(join(source, 'train-0.tar'), await buffer(archive));
  const out = join(root, 'shards.index');
  const report = await indexVideos({ source, out });
  const { usable, left } = resultsOf(out);
  assert.deepEqual(left, { 'train-0.tar/003': 'truncated' });
  assert.deepEqual(
    usable.map(({ id, label, video }) => [id, label, video.frames]),
    [
      ['train-0.tar/000', 'run', 20],
      ['train-0.tar/001', 'walk', 20],
      ['train-0.tar/002', 'run', 20],
    ],
  );
  assert.deepEqual(
    report.duplicates.map(({ kind, members }) => [kind, members.map(({ id }) => id)]),
    [['exact', ['train-0.tar/000', 'train-0.tar/002']]],
  );
  assert.deepEqual(
    readdirSync(out).filter((name) => name.startsWith('.')),
    [],
    'no copies left',
  );
});
