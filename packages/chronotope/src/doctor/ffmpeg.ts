import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode, findFfmpeg, frames } from '@chronotope/video';
import { type Finding, reasonAndHint } from './finding.js';

const TEST_CLIP = { width: 320, height: 240, fps: 25 };
const TEST_FRAMES = 150;
const TEST_TIMEOUT_MS = 60_000;

/** Looks for `ffmpeg` and `ffprobe`. */
export async function examineFfmpeg(): Promise<Finding> {
  const name = 'FFmpeg';
  try {
    const { ffmpeg, ffprobe, version } = await findFfmpeg();
    return { name, status: 'ok', detail: `${version} (${ffmpeg}, ${ffprobe})` };
  } catch (error) {
    const { reason, hint } = reasonAndHint(error);
    return { name, status: 'missing', detail: reason, fix: hint };
  }
}

/**
 * Writes a small H.264 clip and decodes it again as training would, scaled to a short side of 112 pixels.
 * Needs FFmpeg. One that cannot write H.264 still trains, but cannot make the demo's videos: a warning.
 */
export async function testDecodingSpeed(): Promise<Finding> {
  const name = 'Decoding speed';
  const folder = await mkdtemp(join(tmpdir(), 'chronotope-doctor-'));
  try {
    const clip = join(folder, 'clip.mp4');
    await encode(movingStripes(), clip, { ...TEST_CLIP, timeoutMs: TEST_TIMEOUT_MS });
    const started = performance.now();
    let decoded = 0;
    for await (const _ of frames(clip, { shortSide: 112, timeoutMs: TEST_TIMEOUT_MS })) decoded += 1;
    const rate = decoded / ((performance.now() - started) / 1000);
    return { name, status: 'ok', detail: `${rate.toFixed(0)} frames/s (H.264, 320 x 240)` };
  } catch (error) {
    const { reason, hint } = reasonAndHint(error);
    return { name, status: 'warning', detail: reason, fix: hint ?? 'Install an FFmpeg with libx264.' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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
