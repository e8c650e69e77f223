import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { DecodedVideo, DecodeOptions } from './decode.js';
import { ffmpeg, frameHashes, testPicture } from './fixtures.test.helper.js';

/** FFmpeg's arguments for quick H.264. */
export const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-threads', '1', '-pix_fmt', 'yuv420p'];
/** Groups of three B-frames. */
export const bFrames = ['-x264-params', 'bframes=3:b-adapt=0:scenecut=0'];

/** Every structure of a stream that makes jumping hard: name of the file, ffmpeg's arguments, whether a jump is tried. */
export const structures: [name: string, seeks: boolean, args: string[]][] = [
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
export function expected(
  whole: DecodedVideo,
  { start = 0, end = Infinity, stride = 1, maxFrames = Infinity }: DecodeOptions,
) {
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

/** Times and hashes of all frames. */
export function facts(video: DecodedVideo) {
  return { times: [...video.timestamps], pts: [...video.pts], hashes: frameHashes(video) };
}

/** Makes one of the {@link structures}; null, with a message, where this FFmpeg has no such encoder. */
export async function make(t: TestContext, folder: string, name: string, args: string[]): Promise<string | null> {
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
