import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineFfmpeg, testDecodingSpeed } from './ffmpeg.js';

test('FFmpeg is found with its version', async () => {
  const { status, detail } = await examineFfmpeg();
  assert.equal(status, 'ok', detail);
  assert.match(detail, /^\S+ \(.*ffmpeg, .*ffprobe\)$/);
});

test('an FFmpeg that is not there is missing, with the command that installs it', async (t) => {
  const before = process.env.CHRONOTOPE_FFMPEG;
  t.after(() => {
    if (before === undefined) delete process.env.CHRONOTOPE_FFMPEG;
    else process.env.CHRONOTOPE_FFMPEG = before;
  });
  process.env.CHRONOTOPE_FFMPEG = '/nowhere/ffmpeg';
  const { status, detail, fix } = await examineFfmpeg();
  assert.equal(status, 'missing');
  assert.match(detail, /\/nowhere\/ffmpeg/);
  assert.match(fix ?? '', /Install/);
});

test('the speed test decodes its own clip', async () => {
  const { status, detail } = await testDecodingSpeed();
  assert.equal(status, 'ok', detail);
  assert.ok(Number(/^(\d+) frames\/s/.exec(detail)?.[1]) > 0, detail);
});
