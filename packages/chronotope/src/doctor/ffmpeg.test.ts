import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDecoders, examineFfmpeg, testDecodingSpeed, testFirstLook } from './ffmpeg.js';

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

test('first look: the resident prober, or ffprobe with the time that it takes to start', async () => {
  assert.match((await testFirstLook(Promise.resolve(true))).detail, /prober/);
  const { status, detail, measured, fix } = await testFirstLook(Promise.resolve(false));
  const milliseconds = measured?.start_milliseconds ?? -1;
  assert.ok(milliseconds >= 0, detail);
  assert.match(detail, new RegExp(`takes ${milliseconds} ms`));
  assert.equal(status, milliseconds > 40 ? 'warning' : 'ok');
  assert.equal(fix !== undefined, status === 'warning');
  const failed = await testFirstLook(Promise.reject(new Error('no FFmpeg')));
  assert.deepEqual([failed.status, failed.detail], ['warning', 'no FFmpeg']);
});
