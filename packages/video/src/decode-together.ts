import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { ChildGuard, type ChildLimits, startChild } from './children.js';
import { summarise } from './completeness.js';
import { FrameClock } from './decode.js';
import { DecodeLog, tellsOfTrouble } from './decode-log.js';
import { type DecodePlan, decodeTogetherArguments, type FrameSelection, planDecode } from './decode-plan.js';
import { VideoError, type VideoErrorCode } from './errors.js';
import { findFfmpeg } from './ffmpeg.js';
import type { VideoInfo } from './probe.js';

/** A video to decode, which frames of it, and the file that gets them. */
export interface DecodeTarget {
  info: VideoInfo;
  selection: FrameSelection;
  file: string;
}

/** All wanted frames of a small video. */
export interface SmallVideo {
  /** Pixels, uint8 R,G,B, `[T, H, W, 3]`. */
  data: Uint8Array;
  /** Seconds from the start of the video, `[T]`. */
  timestamps: number[];
}

const notAboutTheVideos: readonly VideoErrorCode[] = ['aborted', 'ffmpeg-missing', 'invalid-argument'];

/** Milliseconds for several videos; where that is not enough, each is decoded alone. */
const togetherTimeoutMs = 60_000;

/** Marks of frames with the number of their file, taken apart. */
const numberedMark = /^\[(metadata@(?:decoded|delivered))(\d+) /;

/**
 * Decodes several short videos with one FFmpeg process, because starting a process takes longer than decoding them. Each
 * target gets a file with its frames, uint8 R,G,B, `[T, H, W, 3]`: those that `frames` delivers. A video that several
 * targets name is decoded once for all of them.
 *
 * Nothing of the process is used if it says a single word of trouble, does not end normally or is too slow: one broken
 * video must not touch the frames of another. Then, and for a video that has not what its header states, the caller
 * decodes alone and learns what is wrong.
 *
 * @returns for each target the time of each frame in seconds, or null where it has to be decoded alone
 * Throws {@link VideoError} `aborted`, `ffmpeg-missing`, `invalid-argument`.
 */
export async function decodeTogether(
  targets: readonly DecodeTarget[],
  { signal, timeoutMs = togetherTimeoutMs }: Partial<ChildLimits>,
): Promise<(number[] | null)[]> {
  const limits = { signal, timeoutMs: Math.min(timeoutMs, togetherTimeoutMs) };
  const programs = await findFfmpeg();
  const videos = targets.map((target) => ({ ...target, plan: planDecode(target.info, target.selection) }));
  const child = startChild(programs.ffmpeg, decodeTogetherArguments(videos, programs, limits), { stdin: 'ignore' });
  const guard = new ChildGuard(child, targets[0]!.info.path, limits);
  try {
    child.stdout!.resume();
    const logs = videos.map(({ plan }) => new VideoLog(plan));
    let isClean = true;
    for await (const line of createInterface({ input: child.stderr!, crlfDelay: Infinity })) {
      const mark = numberedMark.exec(line);
      if (mark !== null) logs[Number(mark[2])]?.write(`[${mark[1]} ${line.slice(mark[0].length)}`);
      else if (tellsOfTrouble(line)) isClean = false;
    }
    const { exitCode } = await guard.ended;
    guard.throwIfStopped();
    if (!isClean || exitCode !== 0) return videos.map(() => null);
    return await Promise.all(videos.map((video, k) => timesIfWhole(video, logs[k]!)));
  } catch (error) {
    if (!(error instanceof VideoError) || notAboutTheVideos.includes(error.code)) throw error;
    return targets.map(() => null);
  } finally {
    guard.release();
  }
}

/**
 * Decodes several small videos into memory with one FFmpeg process.
 *
 * @returns for each video its frames, or null where it has to be decoded alone (see {@link decodeTogether})
 * Throws {@link VideoError} `aborted`, `ffmpeg-missing`, `invalid-argument`, `disk-full`.
 */
export async function decodeSmallVideos(
  videos: readonly VideoInfo[],
  selection: FrameSelection,
  limits: Partial<ChildLimits> = {},
): Promise<(SmallVideo | null)[]> {
  const folder = await mkdtemp(join(tmpdir(), 'chronotope-frames-'));
  try {
    const targets = videos.map((info, k) => ({ info, selection, file: join(folder, `${k}.rgb`) }));
    const times = await decodeTogether(targets, limits);
    return await Promise.all(
      targets.map(async ({ file }, k) => {
        const timestamps = times[k];
        return timestamps ? { data: await readFile(file), timestamps } : null;
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The part of the log that is about one of the files. */
class VideoLog {
  readonly #lines = new PassThrough();
  readonly #log: DecodeLog;

  constructor({ deliversAll, slots }: DecodePlan) {
    this.#log = new DecodeLog(this.#lines, { deliversAll, slots, ignoreErrorsBeforeFrames: false });
  }

  write(line: string): void {
    this.#lines.write(`${line}\n`);
  }

  /** To be called after the last line. */
  async end(): Promise<DecodeLog> {
    const closed = new Promise((resolve) => this.#lines.once('close', resolve));
    this.#lines.end();
    await closed;
    return this.#log;
  }
}

async function timesIfWhole(
  { info, selection, plan, file }: DecodeTarget & { plan: DecodePlan },
  lines: VideoLog,
): Promise<number[] | null> {
  const log = await lines.end();
  // With a limit, a few more frames than were wanted may have come out of the decoder.
  const delivered = Math.min(log.deliveredCount, plan.maxFrames ?? Number.POSITIVE_INFINITY);
  const bytes = (await stat(file).catch(() => null))?.size;
  if (delivered === 0 || bytes !== delivered * plan.width * plan.height * 3) return null;
  const end = { delivered, wanted: plan.maxFrames, endedNormally: true, acceptTruncated: true };
  if (!summarise(info, log, selection, end).complete) return null;
  const clock = new FrameClock(info, plan);
  const times: number[] = [];
  for (let k = 0; k < delivered; k++) times.push(clock.timeOf((await log.nextFrame())!));
  return times;
}
