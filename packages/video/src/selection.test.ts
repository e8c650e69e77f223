import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { clip } from './clip.js';
import { type DecodedVideo, type DecodeOptions, decode } from './decode.js';
import { estimateFrames, planDecode } from './decode-plan.js';
import { encode } from './encode.js';
import {
  ffmpeg,
  frameHashes,
  gradientFrames,
  temporaryFolder,
  testPicture,
  twoAtATime,
  videoError,
} from './fixtures.test.helper.js';
import { probe } from './probe.js';

const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-threads', '1', '-pix_fmt', 'yuv420p'];
const bFrames = ['-x264-params', 'bframes=3:b-adapt=0:scenecut=0'];

/** Every structure of a stream that makes jumping hard: name of the file, ffmpeg's arguments, whether a jump is tried. */
const structures: [name: string, seeks: boolean, args: string[]][] = [
  ['B-frames, long group.mp4', true, [...x264, '-g', '250', ...bFrames]],
  ['closed groups.mp4', true, [...x264, '-g', '12', ...bFrames]],
  ['open groups.mp4', true, [...x264, '-x264-params', 'keyint=12:bframes=3:b-adapt=0:scenecut=0:open-gop=1']],
  ['open groups.mkv', true, [...x264, '-x264-params', 'keyint=12:bframes=3:b-adapt=0:scenecut=0:open-gop=1']],
  ['intra refresh.mp4', true, [...x264, '-x264-params', 'keyint=12:bframes=0:intra-refresh=1']],
  ['only key frames.mkv', true, ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p']],
  ['late start.mkv', true, [...x264, '-g', '12', ...bFrames, '-output_ts_offset', '7.5']],
  ['late start.mp4', true, [...x264, '-g', '12', ...bFrames, '-output_ts_offset', '7.5', '-avoid_negative_ts', '0']],
  ['variable rate.mp4', true, ['-vf', "select='gt(mod(n,7),2)'", '-vsync', 'vfr', ...x264, '-g', '10', ...bFrames]],
  ['mpeg4 in mp4.mp4', true, ['-c:v', 'mpeg4', '-bf', '2', '-g', '12']],
  [
    'open groups hevc.mp4',
    true,
    ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'keyint=12:open-gop=1:log-level=error'],
  ],
  ['vp9.webm', true, ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '12']],
  ['no times.avi', false, ['-c:v', 'mpeg4', '-bf', '2', '-g', '12']],
  ['stream.ts', false, [...x264, '-g', '12', ...bFrames]],
  ['program.mpg', false, ['-c:v', 'mpeg2video', '-bf', '2', '-g', '12']],
  ['raw.h264', false, [...x264, '-g', '12', ...bFrames]],
  ['animation.gif', false, []],
];

/** What a selection means, by the frames of the whole video. */
function expected(whole: DecodedVideo, { start = 0, end = Infinity, stride = 1, maxFrames = Infinity }: DecodeOptions) {
  const chosen = [...whole.timestamps.keys()]
    .filter((t) => whole.timestamps[t]! >= start && whole.timestamps[t]! < end)
    .filter((_, i) => i % stride === 0)
    .slice(0, maxFrames);
  const hashes = frameHashes(whole);
  return {
    times: chosen.map((t) => whole.timestamps[t]!),
    pts: chosen.map((t) => whole.pts[t]!),
    hashes: chosen.map((t) => hashes[t]!),
  };
}

function facts(video: DecodedVideo) {
  return { times: [...video.timestamps], pts: [...video.pts], hashes: frameHashes(video) };
}

async function make(t: TestContext, folder: string, name: string, args: string[]): Promise<string | null> {
  const path = join(folder, name);
  try {
    await ffmpeg(...testPicture({ frames: 45 }), ...args, `file:${path}`);
    return path;
  } catch (error) {
    if (!/Unknown encoder/.test(`${error}`)) throw error;
    t.diagnostic(`skipped ${name}: this FFmpeg has no such encoder`);
    return null;
  }
}

test('any [start, end) gives exactly the frames, times and pixels that decoding everything gives', async (t) => {
  const folder = await temporaryFolder(t);
  await twoAtATime(structures, async ([name, seeks, args]) => {
    const path = await make(t, folder, name, args);
    if (path === null) return;
    const info = await probe(path);
    const whole = await decode(path, { info, threads: 1 });
    assert.equal(planDecode(info, { start: 1 }).canSeek, seeks, name);
    const middle = whole.timestamps[Math.floor(whole.frames * 0.6)]!;
    for (const selection of [
      { start: middle, end: middle + 0.3 },
      { start: 1.017, stride: 3, maxFrames: 4 },
    ]) {
      const part = await decode(path, { info, threads: 1, ...selection });
      assert.deepEqual(facts(part), expected(whole, selection), `${name} ${JSON.stringify(selection)}`);
      assert.ok(part.frames > 0 && part.damage === null, `${name}: ${part.damage?.reason}`);
    }
  });
});

test('an edit list that begins within a group of pictures: the same frames with and without a jump', async (t) => {
  const folder = await temporaryFolder(t);
  const long = join(folder, 'long.mp4');
  await ffmpeg(...testPicture({ frames: 75 }), ...x264, '-g', '10', ...bFrames, long);
  const path = join(folder, 'cut.mp4');
  await ffmpeg('-ss', '0.7', '-i', long, '-c', 'copy', path);
  const whole = await decode(path);
  assert.ok(whole.frames > 50 && whole.frames < 65, `${whole.frames} frames: the edit list hides the others`);
  for (const start of [0, 0.12, 0.9, 1.5]) {
    assert.deepEqual(facts(await decode(path, { start })), expected(whole, { start }), `${start}`);
  }
});

test('startFrame and stride count frames in the order of presentation', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  await ffmpeg(...testPicture({ frames: 40 }), ...x264, ...bFrames, path);
  const whole = await decode(path);
  const part = await decode(path, { startFrame: 5, stride: 4, maxFrames: 6 });
  const chosen = [5, 9, 13, 17, 21, 25];
  assert.deepEqual(
    [...part.timestamps],
    chosen.map((n) => whole.timestamps[n]),
  );
  assert.deepEqual(
    frameHashes(part),
    chosen.map((n) => frameHashes(whole)[n]),
  );
  assert.equal((await decode(path, { startFrame: 39 })).frames, 1);
});

test('fps delivers at every even moment the picture that a player shows then', async (t) => {
  const folder = await temporaryFolder(t);
  const cases = structures.filter(([name]) => /variable rate|late start.mkv|open groups.mp4|no times/.test(name));
  await twoAtATime(cases, async ([name, , args]) => {
    const path = (await make(t, folder, name, args))!;
    const info = await probe(path);
    const whole = await decode(path, { info });
    const hashes = frameHashes(whole);
    for (const [fps, start, end] of [
      [10, 0.4, 1.3],
      [60, 1.01, 1.3],
      [23.976023976, 0.5, 1.3],
    ] as const) {
      const even = await decode(path, { info, fps, start, end });
      const moments = Array.from({ length: Math.ceil((end - start) * fps - 1e-6) }, (_, k) => start + k / fps);
      const shown = moments.map((moment) => {
        const later = whole.timestamps.findIndex((time) => time > moment + 1e-6);
        return later === -1 ? whole.frames - 1 : later - 1;
      });
      const what = `${name} ${fps}`;
      assert.deepEqual(
        frameHashes(even),
        shown.map((n) => hashes[n]),
        what,
      );
      assert.deepEqual(
        [...even.pts],
        shown.map((n) => whole.pts[n]),
        what,
      );
      for (const [k, moment] of moments.entries()) {
        assert.ok(Math.abs(even.timestamps[k]! - moment) < 2e-6, `${what} at ${moment}: ${even.timestamps[k]}`);
      }
    }
  });
});

test('a picture size that changes in mid-stream neither loses nor repeats frames', async (t) => {
  const folder = await temporaryFolder(t);
  for (const [name, width] of [
    ['small.mkv', 64],
    ['large.mkv', 96],
  ] as const) {
    await ffmpeg(...testPicture({ width, frames: 20 }), ...x264, '-bsf:v', 'dump_extra', join(folder, name));
  }
  const list = join(folder, 'list.txt');
  const path = join(folder, 'changing.mkv');
  await ffmpeg('-f', 'concat', '-i', await written(list, "file 'small.mkv'\nfile 'large.mkv'\n"), '-c', 'copy', path);
  const whole = await decode(path);
  assert.deepEqual([whole.frames, whole.width, whole.height], [40, 64, 48]);
  const strided = await decode(path, { stride: 7 });
  assert.deepEqual(facts(strided), expected(whole, { stride: 7 }));
  const even = await decode(path, { fps: 5 });
  assert.equal(even.frames, 8);
});

async function written(path: string, text: string): Promise<string> {
  await writeFile(path, text);
  return path;
}

test('a window after the end or between two frames is empty, without an error', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  await encode(gradientFrames(20, 16, 16), path, { width: 16, height: 16, fps: 10 });
  for (const window of [{ start: 5 }, { start: 0.41, end: 0.49 }, { startFrame: 20 }]) {
    const { frames, data, damage } = await decode(path, window);
    assert.deepEqual([frames, data.length, damage], [0, 0, null], JSON.stringify(window));
  }
});

test('impossible selections are refused before FFmpeg starts', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  await encode(gradientFrames(2, 16, 16), path, { width: 16, height: 16, fps: 10 });
  const info = await probe(path);
  const wrong: DecodeOptions[] = [
    { start: -1 },
    { start: Number.NaN },
    { start: 2, end: 2 },
    { end: 0 },
    { startFrame: 1.5 },
    { stride: 0 },
    { maxFrames: -3 },
    { fps: 0 },
    { fps: Number.POSITIVE_INFINITY },
    { start: 1, startFrame: 3 },
    { fps: 5, stride: 2 },
    { fps: 5, startFrame: 2 },
    { shortSide: 8, size: { width: 8, height: 8 } },
    { size: { width: 0, height: 8 } },
  ];
  for (const selection of wrong) {
    await assert.rejects(
      decode(path, { info, ...selection }),
      videoError('invalid-argument'),
      JSON.stringify(selection),
    );
  }
});

test('the expected number of frames follows from header and selection', async (t) => {
  const path = join(await temporaryFolder(t), 'a.mp4');
  await encode(gradientFrames(40, 16, 16), path, { width: 16, height: 16, fps: 20 });
  const info = await probe(path);
  for (const selection of [
    {},
    { start: 0.5 },
    { end: 0.5, stride: 3 },
    { startFrame: 7 },
    { fps: 5 },
    { maxFrames: 3 },
  ]) {
    const { frames } = await decode(path, { info, ...selection });
    assert.equal(estimateFrames(info, selection), frames, JSON.stringify(selection));
  }
});

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
