import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { encodeAnimation, encodePicture } from './picture.js';

const twoPixels = { data: Uint8Array.from([255, 0, 0, 0, 0, 255]), height: 1, width: 2 };

test('a PNG keeps every pixel, and enlarging repeats pixels without smoothing', async () => {
  const { data, info } = await sharp(await encodePicture(twoPixels, { height: 2, width: 4 }))
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [4, 2, 3]);
  const row = [255, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 255];
  assert.deepEqual([...data], [...row, ...row]);
});

test('a JPEG has the size asked for', async () => {
  const { format, width, height } = await sharp(
    await encodePicture(twoPixels, { height: 16, width: 8, format: 'jpeg' }),
  ).metadata();
  assert.deepEqual([format, width, height], ['jpeg', 8, 16]);
});

test('an animation has every picture in order, and its time', async () => {
  const gray = (level: number) => ({ data: new Uint8Array(3 * 4 * 6).fill(level), height: 4, width: 6 });
  const gif = await encodeAnimation([gray(0), gray(120), gray(255)], { fps: 10 });
  const { format, width, pageHeight, pages, delay } = await sharp(gif, { animated: true }).metadata();
  assert.deepEqual([format, width, pageHeight, pages, delay], ['gif', 6, 4, 3, [100, 100, 100]]);
  const pixels = await sharp(gif, { animated: true }).removeAlpha().raw().toBuffer();
  assert.deepEqual(
    [0, 1, 2].map((picture) => pixels[picture * 3 * 4 * 6]),
    [0, 120, 255],
  );
});
