import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { DecodedVideo } from './decode.js';
import { VideoError, type VideoErrorCode } from './errors.js';
import { findFfmpeg, passthroughArguments } from './ffmpeg.js';

const run = promisify(execFile);

/** A folder that is removed after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'chronotope-video-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs ffmpeg itself; for files that `encode` has no options for. */
export async function ffmpeg(...args: string[]): Promise<string> {
  const programs = await findFfmpeg();
  const { stdout } = await run(programs.ffmpeg, ['-nostdin', '-v', 'error', '-y', ...args], { maxBuffer: 64 << 20 });
  return stdout;
}

/** FFmpeg's input arguments for a moving test picture. */
export function testPicture({ width = 64, height = 48, fps = 25, frames = 30 } = {}): string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=${fps}:duration=${frames / fps}`];
}

/** Name of a video, and ffmpeg's arguments that make it from the test picture. */
export type VideoRecipe = readonly [name: string, args: readonly string[]];

/**
 * Makes videos, all by one ffmpeg, and gives their names. Those this FFmpeg has no encoder for are left out, with a
 * message. `sound`: arguments of a second input.
 */
export async function makeVideos(
  folder: string,
  recipes: readonly VideoRecipe[],
  picture: Parameters<typeof testPicture>[0],
  sound: readonly string[] = [],
): Promise<string[]> {
  const encoders = await ffmpeg('-hide_banner', '-encoders');
  const possible = recipes.filter(([name, args]) => {
    const codec = args[args.indexOf('-c:v') + 1]!;
    const isThere = !args.includes('-c:v') || encoders.includes(` ${codec} `);
    if (!isThere) console.log(`# skipped ${name}: this FFmpeg has no ${codec}`);
    return isThere;
  });
  const everyFrameOnce = passthroughArguments((await findFfmpeg()).version);
  const outputs = possible.flatMap(([name, args]) => [...args, ...everyFrameOnce, `file:${join(folder, name)}`]);
  await ffmpeg(...testPicture(picture), ...sound, ...outputs);
  return possible.map(([name]) => name);
}

/** Frames `[T, H, W, 3]` in which frame t is a grey gradient of its own: any mix-up of frames or rows shows. */
export function gradientFrames(frames: number, height: number, width: number): Uint8Array {
  const data = new Uint8Array(frames * height * width * 3);
  for (let i = 0; i < data.length; i++) {
    const t = Math.floor(i / (height * width * 3));
    const y = Math.floor(i / (width * 3)) % height;
    data[i] = Math.min(255, 16 + t * 6 + y);
  }
  return data;
}

/** MD5 of every frame as FFmpeg's own `framemd5` gives it. */
export async function frameMd5(path: string, ...outputArguments: string[]): Promise<string[]> {
  const passthrough = passthroughArguments((await findFfmpeg()).version);
  const args = ['-i', `file:${path}`, '-map', '0:V:0', ...passthrough, ...outputArguments];
  const text = await ffmpeg(...args, '-pix_fmt', 'rgb24', '-f', 'framemd5', '-');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return lines.map((line) => line.split(',').at(-1)!.trim());
}

/** Presentation time of every decoded frame in time base units, as ffprobe gives it; NaN where there is none. */
export async function framePts(path: string): Promise<number[]> {
  const { ffprobe } = await findFfmpeg();
  const entries = ['-select_streams', 'V:0', '-show_entries', 'frame=best_effort_timestamp', '-of', 'json'];
  const { stdout } = await run(ffprobe, ['-v', 'error', ...entries, `file:${path}`]);
  const { frames } = JSON.parse(stdout) as { frames: { best_effort_timestamp?: number }[] };
  return frames.map((frame) => frame.best_effort_timestamp ?? NaN);
}

/** MD5 of bytes, in hexadecimal. */
export function md5(data: Uint8Array): string {
  return createHash('md5').update(data).digest('hex');
}

/** MD5 of every frame of a decoded video. */
export function frameHashes({
  data,
  frames: count,
  height,
  width,
}: Pick<DecodedVideo, 'data' | 'frames' | 'height' | 'width'>): string[] {
  const size = height * width * 3;
  return Array.from({ length: count }, (_, t) => md5(data.subarray(t * size, (t + 1) * size)));
}

/** For `assert.rejects`: a VideoError with this code, a matching reason and a hint. */
export function videoError(code: VideoErrorCode, reason = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof VideoError, `${error}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.reason, reason);
    assert.ok(error.hint.length > 0);
    return true;
  };
}

/** Works on two items at a time. */
export async function twoAtATime<Item>(items: Iterable<Item>, work: (item: Item) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = queue.next(); !next.done; next = queue.next()) await work(next.value);
  };
  await Promise.all([lane(), lane()]);
}
