import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { clip } from './clip.js';
import { type DecodedVideo, decode } from './decode.js';
import { encode } from './encode.js';
import { frameHashes, gradientFrames, temporaryFolder, videoError } from './fixtures.test.helper.js';
import { facts } from './structures.test.helper.js';

test('clip: by time, by frame, by rate; always exactly the asked number of frames', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  await encode(gradientFrames(20, 16, 16), path, { width: 16, height: 16, fps: 10 });
  const whole = await decode(path);
  const indices = (video: DecodedVideo) => [...video.timestamps].map((time) => Math.round(time * 10));
  const byFrame = await clip(path, { frames: 4, frame: 3, stride: 2 });
  assert.deepEqual(indices(byFrame), [3, 5, 7, 9]);
  assert.deepEqual(facts(byFrame), facts(await clip(path, { frames: 4, start: 0.3, stride: 2 })));
  assert.deepEqual(indices(await clip(path, { frames: 3, start: 1, fps: 5 })), [10, 12, 14]);
  const small = await clip(path, { frames: 2, shortSide: 8 });
  assert.deepEqual([small.height, small.width, small.data.length], [8, 8, 2 * 8 * 8 * 3]);

  await assert.rejects(clip(path, { frames: 4, frame: 18 }), videoError('too-short', /2 of the 4/));
  await assert.rejects(clip(path, { frames: 4, start: 9 }), videoError('too-short', /0 of the 4/));
  await assert.rejects(clip(path, { frames: 4, start: 9, shortVideo: 'loop' }), videoError('too-short'));
  await assert.rejects(clip(path, { frames: 0 }), videoError('invalid-argument'));
  for (const [shortVideo, order] of [
    ['repeat-last', [17, 18, 19, 19, 19, 19, 19]],
    ['loop', [17, 18, 19, 17, 18, 19, 17]],
    ['mirror', [17, 18, 19, 18, 17, 18, 19]],
  ] as const) {
    const filled = await clip(path, { frames: 7, frame: 17, shortVideo });
    assert.deepEqual(indices(filled), order, shortVideo);
    assert.deepEqual(
      frameHashes(filled),
      order.map((n) => frameHashes(whole)[n]),
      shortVideo,
    );
  }
  const single = await clip(path, { frames: 3, frame: 19, shortVideo: 'mirror' });
  assert.deepEqual(indices(single), [19, 19, 19]);
});
