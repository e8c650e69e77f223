import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDecoders, examineFfmpeg, testDecodingSpeed, testStartingTime } from './ffmpeg.js';

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

test('decoders: a lacking one is a warning, but without H.264 nothing works', async () => {
  const judge = (...names: string[]) => describeDecoders(Promise.resolve(new Set(names)));
  const all = ['h264', 'hevc', 'vp8', 'vp9', 'av1', 'mpeg4', 'mpeg2video', 'mjpeg'];
  assert.equal((await judge(...all)).status, 'ok');
  const some = await judge('h264', 'mpeg4');
  assert.deepEqual([some.status, some.detail.split(';')[0]], ['warning', 'H.264, MPEG-4']);
  assert.match(some.detail, /not H\.265, VP8/);
  assert.ok(some.fix);
  assert.equal((await judge('mpeg4')).status, 'missing');
  assert.match((await describeDecoders()).detail, /H\.264/);
});

test('the speed test decodes its own clip', async () => {
  const { status, detail } = await testDecodingSpeed();
  assert.equal(status, 'ok', detail);
  assert.ok(Number(/^(\d+) frames\/s/.exec(detail)?.[1]) > 0, detail);
});

test('the time that ffprobe needs to start is measured, with advice where it is long', async () => {
  const { status, detail, measured } = await testStartingTime();
  assert.equal(status, 'ok', detail);
  const milliseconds = measured?.start_milliseconds;
  assert.ok(typeof milliseconds === 'number' && milliseconds >= 0, detail);
  assert.equal(detail.includes('CHRONOTOPE_FFMPEG'), milliseconds > 40);
});
