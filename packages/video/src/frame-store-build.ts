import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { abortedError } from './children.js';
import { frames } from './decode.js';
import { estimateFrames, targetSize } from './decode-plan.js';
import {
  diskFullError,
  invalidArgument,
  isDiskFull,
  systemErrorCode,
  VideoError,
  type VideoErrorCode,
} from './errors.js';
import { findFfmpeg } from './ffmpeg.js';
import { probe, sizeOfReadableFile, type VideoInfo } from './probe.js';
import {
  entryFile,
  entryKey,
  type FrameStoreSettings,
  findDamage,
  listEntries,
  pixelFile,
  readEntry,
  type SourceState,
  serialiseEntry,
} from './store-entry.js';
import { removeAbandonedFiles, temporaryName, writeFileAtomically } from './temporary-files.js';

/** How a frame store is built. */
export interface BuildFrameStoreOptions {
  /** Pixels of the shorter side. */
  shortSide: number;
  /** Frames per second. Default: every frame of the file. */
  fps?: number;
  /** Most frames of a video. Default: all. */
  maxFrames?: number;
  /** Videos decoded at the same time. Default: the number of processors. */
  concurrency?: number;
  /** Milliseconds for one video. Default 300,000. */
  timeoutMs?: number;
  /** Stops the build; what is stored so far stays. */
  signal?: AbortSignal;
  /** How entries of earlier builds are checked: by the length or the checksum of their pixels. Default `length`. */
  verify?: 'length' | 'checksum';
  /** Bytes of the disk that must stay free. Default 256 MiB. */
  reserveBytes?: number;
  /** Called after each video and, while headers are read, after each header. */
  onProgress?: (progress: BuildProgress) => void;
}

/** Progress of {@link buildFrameStore}. */
export interface BuildProgress {
  /** `check`: looking for stored entries and reading headers; `decode`: storing frames. */
  phase: 'check' | 'decode';
  /** Videos that this phase is done with. */
  done: number;
  /** Videos of this phase. */
  total: number;
  /** Id of the video just done. */
  id: string;
  stored: number;
  reused: number;
  failed: number;
  /** Bytes written by this build. */
  bytes: number;
}

/** A video that is not in the store, and why. */
export interface FailedVideo {
  id: string;
  path: string;
  code: VideoErrorCode;
  reason: string;
  hint: string;
}

/** Result of {@link buildFrameStore}; `stored` and `reused` count videos. */
export interface BuildResult {
  stored: number;
  reused: number;
  failed: FailedVideo[];
}

/**
 * Decodes videos once and keeps all their frames as raw pixels in `dir`, one file per video; {@link FrameStore} reads
 * them. Unchanged videos of an earlier build are reused, changed and damaged ones are decoded again. It can be killed
 * at any moment and started again, and two processes can build the same store. A video that cannot be used is listed
 * in `failed`, and tried again by the next build.
 *
 * Throws {@link VideoError} when the build as a whole cannot go on: `disk-full` (also before it starts, when the frames
 * would not fit), `unwritable`, `aborted`, `ffmpeg-missing`, `invalid-argument` (an id twice, impossible settings).
 */
export async function buildFrameStore(
  dir: string,
  videos: readonly { id: string; path: string }[],
  options: BuildFrameStoreOptions,
): Promise<BuildResult> {
  checkArguments(videos, options);
  await findFfmpeg();
  const build = new FrameStoreBuild(resolve(dir), options);
  return build.run(videos);
}

/** Free space is looked at again after this many bytes. */
const bytesBetweenChecks = 64 << 20;

/** A video that has to be decoded. */
interface Job {
  id: string;
  key: string;
  source: SourceState;
  info: VideoInfo;
  /** Bytes its pixels will probably take. */
  expectedBytes: number;
}

class FrameStoreBuild {
  readonly #folder: string;
  readonly #options: BuildFrameStoreOptions;
  readonly #settings: FrameStoreSettings;
  readonly #result: BuildResult = { stored: 0, reused: 0, failed: [] };
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** Key of every video's entry; null for a file that cannot hold a video any more. */
  readonly #currentKeys = new Map<string, string | null>();
  #failure: unknown = null;
  #bytes = 0;
  #checkSpaceAt = bytesBetweenChecks;

  constructor(folder: string, options: BuildFrameStoreOptions) {
    this.#folder = folder;
    this.#options = options;
    const { shortSide, fps = null, maxFrames = null } = options;
    this.#settings = { shortSide, fps, maxFrames };
    const signals = options.signal === undefined ? [] : [options.signal];
    this.#signal = AbortSignal.any([this.#stop.signal, ...signals]);
  }

  async run(videos: readonly { id: string; path: string }[]): Promise<BuildResult> {
    await this.#prepareFolder();
    const jobs: Job[] = [];
    await this.#forEach('check', videos, async (video) => {
      const job = await this.#check(video);
      if (job !== null) jobs.push(job);
    });
    await this.#requireSpace(jobs);
    await this.#forEach('decode', jobs, (job) => this.#store(job));
    await this.#removeOutdated();
    this.#result.failed.sort((a, b) => (a.id < b.id ? -1 : 1));
    return this.#result;
  }

  async #prepareFolder(): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true });
      await removeAbandonedFiles(this.#folder);
    } catch (error) {
      throw this.#asStoreError(error);
    }
  }

  /** Counts a video whose frames are stored already, else reads its header. */
  async #check({ id, path }: { id: string; path: string }): Promise<Job | null> {
    const absolute = resolve(path);
    const bytes = await sizeOfReadableFile(absolute);
    const source = { path: absolute, bytes, modifiedMs: (await stat(absolute)).mtimeMs };
    const key = entryKey(id, source, this.#settings);
    this.#currentKeys.set(id, key);
    if (await this.#isStored(key)) {
      this.#result.reused += 1;
      return null;
    }
    const info = await probe(absolute, { signal: this.#signal });
    const { width, height } = targetSize(info, this.#options);
    return { id, key, source, info, expectedBytes: estimateFrames(info, this.#options) * width * height * 3 };
  }

  async #isStored(key: string): Promise<boolean> {
    const entry = await readEntry(this.#folder, key);
    if (entry === null || this.#options.verify !== 'checksum') return entry !== null;
    return (await findDamage(this.#folder, key, entry)) === null;
  }

  async #store(job: Job): Promise<void> {
    // Another process may have been faster.
    if (await this.#isStored(job.key)) {
      this.#result.reused += 1;
      return;
    }
    const target = pixelFile(this.#folder, job.key);
    const temporary = temporaryName(target);
    try {
      const written = await this.#writePixels(job, temporary);
      await rename(temporary, target);
      const entry = { id: job.id, source: job.source, settings: this.#settings, ...written };
      await writeFileAtomically(entryFile(this.#folder, job.key), serialiseEntry(entry));
      this.#result.stored += 1;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async #writePixels(job: Job, file: string) {
    const hash = createHash('sha256');
    const timestamps: number[] = [];
    const warnings: string[] = [];
    const { shortSide, fps, maxFrames, timeoutMs } = this.#options;
    const source = frames(job.source.path, {
      ...{ shortSide, fps, maxFrames, timeoutMs },
      info: job.info,
      signal: this.#signal,
      threads: 1,
    });
    const countBytes = async (bytes: number): Promise<void> => {
      this.#bytes += bytes;
      if (this.#bytes >= this.#checkSpaceAt) await this.#requireReserve();
    };
    async function* pixels(): AsyncGenerator<Uint8Array> {
      try {
        let step = await source.next();
        for (; !step.done; step = await source.next()) {
          hash.update(step.value.data);
          timestamps.push(step.value.timestamp);
          await countBytes(step.value.data.length);
          yield step.value.data;
        }
        warnings.push(...step.value.warnings);
      } finally {
        await source.return({ frames: 0, complete: false, warnings: [], damage: null });
      }
    }
    await pipeline(pixels, createWriteStream(file));
    const seconds = timestamps.at(-1)! - timestamps[0]!;
    const frameRate = seconds > 0 ? (timestamps.length - 1) / seconds : (fps ?? job.info.averageFrameRate);
    const { width, height } = targetSize(job.info, this.#options);
    return { frames: timestamps.length, height, width, frameRate, timestamps, warnings, sha256: hash.digest('hex') };
  }

  /** Removes entries of videos whose source has changed since. */
  async #removeOutdated(): Promise<void> {
    for (const [key, entry] of await listEntries(this.#folder)) {
      const current = this.#currentKeys.get(entry.id);
      if (current === undefined || current === key || !this.#hasSameSettings(entry.settings)) continue;
      await rm(entryFile(this.#folder, key), { force: true });
      await rm(pixelFile(this.#folder, key), { force: true });
    }
  }

  #hasSameSettings({ shortSide, fps, maxFrames }: FrameStoreSettings): boolean {
    const own = this.#settings;
    return shortSide === own.shortSide && fps === own.fps && maxFrames === own.maxFrames;
  }

  async #requireSpace(jobs: Job[]): Promise<void> {
    const needed = jobs.reduce((sum, job) => sum + job.expectedBytes, 0);
    const free = await this.#freeBytes();
    if (needed === 0 || needed + this.#reserveBytes <= free) return;
    const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
    throw new VideoError({
      code: 'disk-full',
      path: this.#folder,
      reason: `The frames of ${jobs.length} videos need about ${gigabytes(needed)}, but only ${gigabytes(free)} are free and ${gigabytes(this.#reserveBytes)} of them must stay so.`,
      hint: 'Free some space, choose a folder on another disk, or use a smaller shortSide, fps or maxFrames.',
    });
  }

  /** Headers can understate what a file holds, and others write to the disk as well. */
  async #requireReserve(): Promise<void> {
    this.#checkSpaceAt = this.#bytes + bytesBetweenChecks;
    if ((await this.#freeBytes()) < this.#reserveBytes) throw diskFullError(this.#folder);
  }

  async #freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#folder);
    return bavail * bsize;
  }

  get #reserveBytes(): number {
    return this.#options.reserveBytes ?? 256 << 20;
  }

  /** Works on several items at a time. Trouble with one video is noted; trouble with the whole build ends it. */
  async #forEach<Item extends { id: string }>(
    phase: BuildProgress['phase'],
    items: readonly Item[],
    work: (item: Item) => Promise<void>,
  ): Promise<void> {
    const queue = items.values();
    let done = 0;
    const worker = async (): Promise<void> => {
      for (const item of queue) {
        if (this.#signal.aborted) return;
        try {
          await work(item);
        } catch (error) {
          this.#note(item, error);
        }
        done += 1;
        const { stored, reused, failed } = this.#result;
        const counts = { stored, reused, failed: failed.length, bytes: this.#bytes };
        this.#options.onProgress?.({ phase, done, total: items.length, id: item.id, ...counts });
      }
    };
    const count = Math.min(this.#options.concurrency ?? availableParallelism(), items.length);
    await Promise.all(Array.from({ length: count }, () => worker().catch((error) => this.#endBuild(error))));
    if (this.#options.signal?.aborted) throw abortedError(this.#folder, this.#options.signal.reason);
    if (this.#failure !== null) throw this.#failure;
  }

  /** Adds a video to the failed ones, or passes on an error that concerns all of them. */
  #note(item: { id: string }, error: unknown): void {
    const fatal: VideoErrorCode[] = ['aborted', 'ffmpeg-missing', 'ffmpeg-too-old', 'invalid-argument', 'disk-full'];
    if (!(error instanceof VideoError) || fatal.includes(error.code)) throw this.#asStoreError(error);
    const { code, reason, hint, path } = error;
    // A file that is out of reach for now keeps its frames.
    if (code === 'empty-file') this.#currentKeys.set(item.id, null);
    this.#result.failed.push({ id: item.id, path: path ?? '', code, reason, hint });
  }

  /** Keeps the first error and makes the other workers stop. */
  #endBuild(error: unknown): void {
    this.#failure ??= error;
    this.#stop.abort();
  }

  /** Names the store in errors of the file system. */
  #asStoreError(error: unknown): unknown {
    if (isDiskFull(error)) return diskFullError(this.#folder, error);
    if (systemErrorCode(error) === undefined || error instanceof VideoError) return error;
    return new VideoError({
      code: 'unwritable',
      path: this.#folder,
      reason: `The frame store cannot be written (${(error as Error).message}).`,
      hint: 'Check that this is a folder in which this user may write.',
      cause: error,
    });
  }
}

function checkArguments(videos: readonly { id: string }[], options: BuildFrameStoreOptions): void {
  const seen = new Set<string>();
  for (const { id } of videos) {
    if (seen.has(id))
      throw invalidArgument(`The id ${JSON.stringify(id)} is used for two videos.`, 'Give every video its own id.');
    seen.add(id);
  }
  if (!Number.isInteger(options.shortSide) || options.shortSide < 1) {
    throw invalidArgument(`shortSide is ${options.shortSide}.`, 'Give a whole number of pixels of at least 1.');
  }
  for (const name of ['fps', 'maxFrames', 'concurrency'] as const) {
    const value = options[name];
    if (value !== undefined && !(value > 0)) throw invalidArgument(`${name} is ${value}.`, 'It must be above 0.');
  }
}
