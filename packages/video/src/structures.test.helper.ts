import type { DecodedVideo, DecodeOptions } from './decode.js';
import { frameHashes, type VideoRecipe } from './fixtures.test.helper.js';

/** FFmpeg's arguments for quick H.264. */
export const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-threads', '1', '-pix_fmt', 'yuv420p'];
/** Groups of three B-frames. */
export const bFrames = ['-x264-params', 'bframes=3:b-adapt=0:scenecut=0'];

/** Streams in which jumping is hard in a different way each, with an index of key frames. */
export const indexedStructures: VideoRecipe[] = [
  ['one long group.mp4', [...x264, '-g', '250', ...bFrames]],
  ['open groups.mp4', [...x264, '-x264-params', 'keyint=12:bframes=3:b-adapt=0:scenecut=0:open-gop=1']],
  ['intra refresh.mp4', [...x264, '-x264-params', 'keyint=12:bframes=0:intra-refresh=1']],
  ['late start.mkv', [...x264, '-g', '12', ...bFrames, '-output_ts_offset', '7.5']],
  ['late start.mp4', [...x264, '-g', '12', ...bFrames, '-output_ts_offset', '7.5', '-avoid_negative_ts', '0']],
  ['variable rate.mp4', ['-vf', "select='gt(mod(n,7),2)'", ...x264, '-g', '10', ...bFrames]],
  ['mpeg4 in mp4.mp4', ['-c:v', 'mpeg4', '-bf', '2', '-g', '12']],
  [
    'open groups hevc.mp4',
    ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'keyint=12:open-gop=1:log-level=error'],
  ],
  ['vp9.webm', ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '12']],
];

/** Streams without a reliable index. */
export const otherStructures: VideoRecipe[] = [
  ['no times.avi', ['-c:v', 'mpeg4', '-bf', '2', '-g', '12']],
  ['broadcast.ts', [...x264, '-g', '12', ...bFrames]],
  ['program.mpg', ['-c:v', 'mpeg2video', '-bf', '2', '-g', '12']],
  ['raw.h264', [...x264, '-g', '12', ...bFrames]],
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
