import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildFrameStore, encodePicture } from '@chronotope/video';
import { sourceVideo } from './source-video.js';

test('a single JPEG image, numbered or not, is a video of one frame', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chronotope-source-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const picture = { data: new Uint8Array(24 * 32 * 3).fill(90), height: 24, width: 32 };
  const videos = [];
  for (const id of ['0001.jpg', 'photo.JPEG']) {
    const path = join(folder, id);
    writeFileSync(path, await encodePicture(picture, { format: 'jpeg' }));
    videos.push(sourceVideo({ id, path, label: null, split: 'train' }));
  }
  const { failed, store } = await buildFrameStore(join(folder, 'frames'), videos, { shortSide: 24 });
  assert.deepEqual(failed, []);
  assert.deepEqual([store.get('0001.jpg')!.frames, store.get('photo.JPEG')!.frames], [1, 1]);
});
