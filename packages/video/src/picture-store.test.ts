import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { encodePicture } from './picture.js';
import { buildPictureStore, type PictureVideo } from './picture-store.js';
import { readPictures } from './stored-pictures.js';

const root = mkdtempSync(join(tmpdir(), 'picture-store-'));
after(() => rmSync(root, { recursive: true }));
let folder = '';
let count = 0;
beforeEach(() => {
  folder = join(root, `store ${count++}`);
});

/** A picture of one gray level, `width` x 20. */
async function picture(name: string, level: number, width = 30): Promise<string> {
  const file = join(root, name);
  const data = new Uint8Array(20 * width * 3).fill(level);
  writeFileSync(file, await encodePicture({ data, height: 20, width }, { format: 'jpeg' }));
  return file;
}

async function videos(): Promise<PictureVideo[]> {
  const files = [await picture('a0.jpg', 20), await picture('a1.jpg', 120), await picture('a2.jpg', 220)];
  return [
    { id: 'a', files },
    { id: 'b', files: [await picture('b.jpg', 60, 50)] },
  ];
}

test('stores pictures scaled to a short side, to be read back in any order', async () => {
  const { store, stored, reused, failed } = await buildPictureStore(folder, await videos(), { shortSide: 10 });
  assert.deepEqual([stored, reused, failed], [2, 0, []]);
  const a = store.get('a')!;
  assert.deepEqual([a.frames, a.height, a.width], [3, 10, 15]);
  assert.deepEqual([store.get('b')!.height, store.get('b')!.width], [10, 25]);
  assert.equal(store.get('c'), null);
  const pixels = readPictures([{ ...a, frames: [2, 0] }], a);
  const middle = (k: number) => pixels[k * 10 * 15 * 3 + 200]!;
  assert.ok(Math.abs(middle(0) - 220) <= 2 && Math.abs(middle(1) - 20) <= 2);
});

test('videos that lie in one file are told apart in one request', async () => {
  const same = [await picture('c.jpg', 200), await picture('d.jpg', 40)];
  const { store } = await buildPictureStore(
    folder,
    [
      { id: 'c', files: [same[0]!] },
      { id: 'd', files: [same[1]!] },
    ],
    {
      shortSide: 20,
    },
  );
  const [c, d] = [store.get('c')!, store.get('d')!];
  assert.equal(c.file, d.file);
  const pixels = readPictures(
    [
      { ...d, frames: [0] },
      { ...c, frames: [0] },
      { ...d, frames: [0] },
    ],
    c,
  );
  const levels = [0, 1, 2].map((k) => pixels[k * 20 * 30 * 3 + 900]!);
  for (const [k, level] of [40, 200, 40].entries()) assert.ok(Math.abs(levels[k]! - level) <= 2, `${levels}`);
});

test('small pictures are not enlarged', async () => {
  const { store } = await buildPictureStore(folder, await videos(), { shortSide: 64 });
  assert.deepEqual([store.get('a')!.height, store.get('a')!.width], [20, 30]);
});

test('a second build reuses what is there, and stores changed pictures anew', async () => {
  const all = await videos();
  await buildPictureStore(folder, all, { shortSide: 10 });
  assert.equal((await buildPictureStore(folder, all, { shortSide: 10 })).reused, 2);
  await picture('b.jpg', 90, 40);
  const { reused, stored, store } = await buildPictureStore(folder, all, { shortSide: 10 });
  assert.deepEqual([reused, stored, store.get('b')!.width], [1, 1, 20]);
});

test('after a kill, parts that are not whole are stored again', async () => {
  const all = await videos();
  await buildPictureStore(folder, all, { shortSide: 10 });
  appendFileSync(join(folder, 'pictures.jsonl'), '{"key":"cut sho');
  const [data] = readdirSync(folder).filter((name) => name.endsWith('.jpegs'));
  truncateSync(join(folder, data!), readFileSync(join(folder, data!)).length - 1);
  const { reused, stored, store } = await buildPictureStore(folder, all, { shortSide: 10 });
  assert.deepEqual([reused, stored], [1, 1]);
  for (const id of ['a', 'b']) {
    const video = store.get(id)!;
    assert.equal(readPictures([{ ...video, frames: [0] }], video).length, 10 * video.width * 3);
  }
});

test('a picture that cannot be read takes its video out, and names the file', async () => {
  writeFileSync(join(root, 'broken.jpg'), 'no picture');
  const all = [...(await videos()), { id: 'c', files: [join(root, 'a0.jpg'), join(root, 'broken.jpg')] }];
  const { failed, stored } = await buildPictureStore(folder, all, { shortSide: 10 });
  assert.equal(stored, 2);
  assert.match(failed[0]!.reason, /^broken\.jpg: /);
});

test('can be stopped', async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(buildPictureStore(folder, await videos(), { shortSide: 10, signal }), { code: 'aborted' });
});
