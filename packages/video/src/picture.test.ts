import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { encodePicture } from './picture.js';

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
