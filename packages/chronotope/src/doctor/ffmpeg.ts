import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encode, findFfmpeg, frames, listDecoders, proberIsUsable } from '@chronotope/video';
import { type Judgement, reasonAndHint } from './finding.js';

/** What videos are commonly coded with, and the decoders of FFmpeg that read it. */
const DECODERS: readonly (readonly [string, readonly string[]])[] = [
  ['H.264', ['h264']],
  ['H.265', ['hevc']],
  ['VP8', ['vp8', 'libvpx']],
  ['VP9', ['vp9', 'libvpx_vp9']],
  ['AV1', ['libdav1d', 'libaom_av1', 'av1']],
  ['MPEG-4', ['mpeg4']],
  ['MPEG-2', ['mpeg2video']],
  ['Motion JPEG', ['mjpeg']],
];
const FULL_FFMPEG = 'Install the FFmpeg of your distribution, or a full build (https://ffmpeg.org/download.html).';

const TEST_CLIP = { width: 320, height: 240, fps: 25 };
const TEST_FRAMES = 150;
const TEST_TIMEOUT_MS = 60_000;

/** Looks for `ffmpeg` and `ffprobe`. */
export async function examineFfmpeg(): Promise<Judgement> {
  const name = 'FFmpeg';
  try {
    const { ffmpeg, ffprobe, version } = await findFfmpeg();
    return { name, status: 'ok', detail: `${version} (${ffmpeg}, ${ffprobe})` };
  } catch (error) {
    const { reason, hint } = reasonAndHint(error);
    return { name, status: 'missing', detail: reason, fix: hint };
  }
}

/** Which of the decoders that videos commonly need FFmpeg has. Without that of H.264 hardly any video can be read. */
export async function describeDecoders(available: Promise<Set<string>> = listDecoders()): Promise<Judgement> {
  const name = 'Decoders';
  try {
    const decoders = await available;
    const has = ([, names]: readonly [string, readonly string[]]) => names.some((decoder) => decoders.has(decoder));
    const titles = (rows: typeof DECODERS) => rows.map(([title]) => title).join(', ');
    const lacking = DECODERS.filter((row) => !has(row));
    const found = titles(DECODERS.filter(has));
    if (lacking.length === 0) return { name, status: 'ok', detail: found };
    const detail = `${found || 'none'}; not ${titles(lacking)}`;
    return { name, status: decoders.has('h264') ? 'warning' : 'missing', detail, fix: FULL_FFMPEG };
  } catch (error) {
    return { name, status: 'warning', detail: `could not be listed: ${reasonAndHint(error).reason}`, fix: FULL_FFMPEG };
  }
}

/**
 * Writes a small H.264 clip and decodes it again as training would, scaled to a short side of 112 pixels.
 * Needs FFmpeg. One that cannot write H.264 still trains, but cannot make the demo's videos: a warning.
 */
export async function testDecodingSpeed(): Promise<Judgement> {
  const name = 'Decoding';
  const folder = await mkdtemp(join(tmpdir(), 'chronotope-doctor-'));
  try {
    const clip = join(folder, 'clip.mp4');
    await encode(movingStripes(), clip, { ...TEST_CLIP, timeoutMs: TEST_TIMEOUT_MS });
    const started = performance.now();
    let decoded = 0;
    for await (const _ of frames(clip, { shortSide: 112, timeoutMs: TEST_TIMEOUT_MS })) decoded += 1;
    const rate = decoded / ((performance.now() - started) / 1000);
    const detail = `${rate.toFixed(0)} frames/s (H.264, 320 x 240, to a short side of 112)`;
    return { name, status: 'ok', detail, measured: { frames_per_second: Math.round(rate) } };
  } catch (error) {
    const { reason, hint } = reasonAndHint(error);
    return { name, status: 'warning', detail: reason, fix: hint ?? 'Install an FFmpeg with libx264.' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An `ffprobe` that takes longer than this to start does so because of its many shared libraries. Milliseconds. */
const QUICK_START_MS = 40;
const STARTS = 3;
const BUILD_PROBER =
  "Install FFmpeg's headers (sudo apt-get install libavformat-dev on Debian, Ubuntu) and run npm run setup, which then builds\n" +
  'a program that looks at videos without being started for each. It wants the headers of the very FFmpeg in use.';

/** What looks at new videos: the resident prober, or an `ffprobe` started for each, and how long that takes. Needs FFmpeg. */
export async function testFirstLook(isResident: Promise<boolean> = proberIsUsable()): Promise<Judgement> {
  const name = 'First look';
  try {
    if (await isResident) return { name, status: 'ok', detail: 'by one program that stays (prober)' };
    const milliseconds = await startOfFfprobe();
    const detail = `by an ffprobe started for each new video, which takes ${milliseconds} ms`;
    const measured = { start_milliseconds: milliseconds };
    if (milliseconds <= QUICK_START_MS) return { name, status: 'ok', detail, measured };
    return { name, status: 'warning', detail, measured, fix: BUILD_PROBER };
  } catch (error) {
    return { name, status: 'warning', detail: reasonAndHint(error).reason };
  }
}

/** The least time of some starts, in milliseconds. */
async function startOfFfprobe(): Promise<number> {
  const { ffprobe } = await findFfmpeg();
  const times: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    const before = performance.now();
    await promisify(execFile)(ffprobe, ['-version'], { timeout: TEST_TIMEOUT_MS });
    times.push(performance.now() - before);
  }
  return Math.round(Math.min(...times));
}

/** Diagonal stripes that move by one pixel a frame: uint8 `[H, W, 3]` each. */
function* movingStripes(): Generator<Uint8Array> {
  const { width, height } = TEST_CLIP;
  for (let t = 0; t < TEST_FRAMES; t += 1) {
    const frame = new Uint8Array(width * height * 3);
    for (let y = 0, k = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1, k += 3) {
        frame[k] = (x + y + t) * 4;
        frame[k + 1] = (x - y + t) * 2;
        frame[k + 2] = x;
      }
    }
    yield frame;
  }
}
