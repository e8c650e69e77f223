import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import sharp from 'sharp';
import { type ContactSheet, writeContactSheet } from './contact-sheet.js';
import { VideoError } from './errors.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-sheet-'));
after(() => rmSync(folder, { recursive: true }));

const image = (red: number) => ({
  data: Uint8Array.from({ length: 40 * 40 * 3 }, (_, k) => (k % 3 === 0 ? red : 0)),
  height: 40,
  width: 40,
});
const sheet: ContactSheet = {
  title: 'A <title> & more',
  notes: ['one', 'two'],
  strips: [
    { heading: 'clip', details: ['word '.repeat(60)], images: [image(255), image(100)], captions: ['a', 'b'] },
    { heading: 'marks', details: [], images: [image(9), image(8)], captions: ['c', 'd'], places: [0, 1] },
  ],
};

test('a PNG holds the pictures, small ones enlarged pixel by pixel', async () => {
  const file = join(folder, 'sheet.png');
  await writeContactSheet(file, sheet);
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  let [bright, dark] = [0, 0];
  for (let k = 0; k < data.length; k += info.channels) {
    if (data[k] === 255 && data[k + 1] === 0 && data[k + 2] === 0) bright++;
    if (data[k] === 100 && data[k + 1] === 0 && data[k + 2] === 0) dark++;
  }
  assert.deepEqual([bright, dark], [120 * 120, 120 * 120]);
});

test('a page holds the text, escaped, and needs no other file', async () => {
  const file = join(folder, 'sheet.html');
  await writeContactSheet(file, sheet);
  const page = readFileSync(file, 'utf8');
  assert.match(page, /A &lt;title&gt; &amp; more/);
  assert.equal(page.match(/href="data:image\/png;base64,/g)?.length, 4);
  assert.ok(page.split('\n').length > 5 && !/href="(?!data:)/.test(page));
});

test('another ending is refused', async () => {
  await assert.rejects(
    writeContactSheet(join(folder, 'sheet.gif'), sheet),
    (error) => error instanceof VideoError && error.code === 'invalid-argument' && /\.png/.test(error.hint),
  );
});
