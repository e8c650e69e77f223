import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { imageSizes, readImages, startReadingImages } from './image-files.js';

const folder = mkdtempSync(join(tmpdir(), 'images-'));
after(() => rmSync(folder, { recursive: true }));

const colour = { r: 200, g: 10, b: 90 };
const blank = (height: number, width: number) => ({
  create: { height, width, channels: 3 as const, background: colour },
});

test('image files of any size and kind come as R, G, B, in the order asked for', async () => {
  const [plain, clear, gray] = ['plain.png', 'clear.png', 'gray.jpg'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await sharp(blank(5, 7)).png().toFile(plain);
  await sharp(blank(3, 2)).ensureAlpha(0.5).png().toFile(clear);
  await sharp(Buffer.alloc(4 * 6, 77), { raw: { height: 4, width: 6, channels: 1 } })
    .jpeg()
    .toFile(gray);

  const files = [gray, plain, clear, plain];
  const pictures = readImages(files);
  assert.deepEqual(
    pictures.map(({ height, width }) => [height, width]),
    [
      [4, 6],
      [5, 7],
      [3, 2],
      [5, 7],
    ],
  );
  assert.deepEqual([...pictures[1]!.data.subarray(0, 3)], [200, 10, 90]);
  assert.deepEqual([...pictures[2]!.data], Array(6).fill([200, 10, 90]).flat());
  assert.equal(pictures[0]!.data.length, 4 * 6 * 3);
  assert.ok(pictures[0]!.data.every((value) => Math.abs(value - 77) <= 1));
  assert.deepEqual(
    imageSizes(files),
    pictures.map(({ height, width }) => ({ height, width })),
  );
});

test('several lists can be under way at once', async () => {
  const file = join(folder, 'small.png');
  await sharp(blank(2, 2)).png().toFile(file);
  const waits = [startReadingImages([file]), startReadingImages([file, file])];
  assert.deepEqual(
    waits.map((wait) => wait().length),
    [1, 2],
  );
});

test('the file that is no image is named', () => {
  const file = join(folder, 'text.jpg');
  writeFileSync(file, 'no image');
  assert.throws(() => readImages([file]), { code: 'undecodable', path: file });
  assert.throws(() => imageSizes([join(folder, 'missing.jpg')]), {
    code: 'undecodable',
    path: join(folder, 'missing.jpg'),
  });
});
