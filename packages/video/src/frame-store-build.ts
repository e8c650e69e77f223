import { mkdir, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { abortedError } from './children.js';
import { decodeTogether } from './decode-together.js';
import { diskFullError, isDiskFull, systemErrorCode, VideoError, type VideoErrorCode } from './errors.js';
import { findFfmpeg } from './ffmpeg.js';
import { FrameStore } from './frame-store.js';
import {
  type BuildFrameStoreOptions,
  type BuildProgress,
  type BuildResult,
  checkBuild,
  type FailedVideo,
} from './frame-store-options.js';
import { readHeader, type SourceHeader, type SourceOptions, withSourceFrames } from './source-frames.js';
import { isWholeFile, type SourceVideo } from './source-video.js';
import {
  entryFile,
  entryKey,
  type FrameStoreSettings,
  findDamage,
  framesFile,
  hashFile,
  readEntry,
  type StoreEntry,
  type StoreFormat,
  serialiseEntry,
} from './store-entry.js';
import { type WrittenFrames, writeFrames } from './store-frames.js';
import { planStore, type StorePlan } from './store-plan.js';
import { currentState, isSameState, knownFile, type Source, SourceRegistry } from './store-sources.js';
import { StoreSpace } from './store-space.js';
import { removeEntries } from './store-upkeep.js';
import { removeAbandonedFiles, temporaryName, writeFileAtomically } from './temporary-files.js';

/**
 * Decodes videos once and keeps all their frames in `dir`, one file per video; {@link FrameStore} finds them. Videos are
 * known by what they hold: unchanged, renamed and copied ones are reused, whichever build stored them, changed and
 * damaged ones are decoded again. It can be killed at any moment and started again, and several processes can build the
 * same store. A video that cannot be used is listed in `failed`, and tried again by the next build.
 *
 * Throws {@link VideoError} when the build as a whole cannot go on: `disk-full` (also before it starts, when the frames
 * would not fit), `unwritable`, `aborted`, `ffmpeg-missing`, `invalid-argument` (an id twice, impossible settings).
 */
export async function buildFrameStore(
  dir: string,
  videos: readonly SourceVideo[],
  options: BuildFrameStoreOptions,
): Promise<BuildResult> {
  checkBuild(videos, options);
  await findFfmpeg();
  const build = new FrameStoreBuild(resolve(dir), options);
  return build.run(videos);
}

/** A video that can be used as far as its header tells; several ids may mean the same contents. */
interface Candidate {
  /** The first of `ids`. */
  id: string;
  ids: string[];
  video: SourceVideo;
  source: Source;
  /** Null where frames are stored already; then it is only read when it is needed. */
  header: SourceHeader | null;
  stored: Partial<Record<StoreFormat, StoreEntry>>;
  rawBytes: number;
}

/** The frames of one video, written. */
interface DecodedSource {
  written: WrittenFrames;
  header: SourceHeader;
}

const formats: readonly StoreFormat[] = ['raw', 'jpeg'];

/** Raw bytes of a video up to which it is worth decoding with others: a process of its own costs more than it may lose. */
const smallVideoBytes = 32 << 20;
/** Small videos that one process decodes, and their raw bytes: as many, or as few. */
const videosTogether = 16;
const bytesTogether = 64 << 20;

class FrameStoreBuild {
  readonly #folder: string;
  readonly #options: BuildFrameStoreOptions;
  readonly #settings: FrameStoreSettings;
  readonly #failed: FailedVideo[] = [];
  /** Frames that were decoded with those of other videos, in files that have no lasting name yet. */
  readonly #decoded = new Map<Candidate, { temporary: string; written: WrittenFrames }>();
  readonly #usable: { id: string; source: SourceVideo; key: string; entry: StoreEntry }[] = [];
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #space: StoreSpace;
  #sources!: SourceRegistry;
  #failure: unknown = null;
  #stored = 0;
  #reused = 0;

  constructor(folder: string, options: BuildFrameStoreOptions) {
    this.#folder = folder;
    this.#options = options;
    const { shortSide, fps = null, maxFrames = null } = options;
    this.#settings = { shortSide, fps, maxFrames };
    this.#space = new StoreSpace(folder, options.reserveBytes);
    const signals = options.signal === undefined ? [] : [options.signal];
    this.#signal = AbortSignal.any([this.#stop.signal, ...signals]);
  }

  async run(videos: readonly SourceVideo[]): Promise<BuildResult> {
    await this.#openFolder();
    const candidates = new Map<string, Candidate>();
    await this.#forEach('check', inGroups(videos, 1), (video) => this.#check(video, candidates));
    const plan = await this.#plan([...candidates.values()]);
    this.#options.onPlan?.(plan);
    this.#space.require(plan);
    const jobs: Candidate[] = [];
    for (const candidate of candidates.values()) {
      const entry = candidate.stored[plan.format];
      if (entry === undefined) jobs.push(candidate);
      else this.#noteUsable(candidate, entry, { isNew: false });
    }
    await this.#decodeAll(fromAnywhere(jobs), plan.format);
    await this.#removeOutdated();
    this.#failed.sort((a, b) => (a.id < b.id ? -1 : 1));
    const counts = { stored: this.#stored, reused: this.#reused, failed: this.#failed };
    return { ...counts, plan, store: new FrameStore(this.#folder, this.#usable) };
  }

  async #openFolder(): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true });
      await removeAbandonedFiles(this.#folder);
      this.#sources = await SourceRegistry.load(this.#folder);
    } catch (error) {
      throw this.#asStoreError(error);
    }
  }

  /** Finds out what a video holds and whether its frames are stored; reads the header of those that are not. */
  async #check(wanted: SourceVideo, candidates: Map<string, Candidate>): Promise<void> {
    const { id } = wanted;
    const { known } = this.#options;
    const source = await this.#sources.identify(wanted, { signal: this.#signal, record: true, known });
    const video = { ...wanted, path: source.path };
    const stored: Candidate['stored'] = {};
    for (const format of formats) {
      const entry = await this.#intactEntry(source, format);
      if (entry !== null) stored[format] = entry;
    }
    const entry = stored.raw ?? stored.jpeg;
    const info = video.member === undefined ? (knownFile(source, known)?.info ?? null) : null;
    const header = entry === undefined ? await readHeader(video, this.#sourceOptions, info) : null;
    const { frames, height, width } = header ?? entry!;
    const rawBytes = frames * height * width * 3;
    const twin = candidates.get(source.sha256);
    if (twin !== undefined) twin.ids.push(id);
    else candidates.set(source.sha256, { id, ids: [id], video, source, header, stored, rawBytes });
  }

  get #sourceOptions(): SourceOptions {
    const { timeoutMs } = this.#options;
    return { settings: this.#settings, folder: this.#folder, signal: this.#signal, timeoutMs };
  }

  async #intactEntry(source: Source, format: StoreFormat): Promise<StoreEntry | null> {
    const key = entryKey(source.sha256, format, this.#settings);
    const entry = await readEntry(this.#folder, key);
    if (entry === null || this.#options.verify !== 'checksum') return entry;
    return (await findDamage(this.#folder, key, entry)) === null ? entry : null;
  }

  async #plan(candidates: readonly Candidate[]): Promise<StorePlan> {
    return planStore({
      videos: candidates.map(({ rawBytes, stored }) => ({ rawBytes, stored: formats.filter((name) => stored[name]) })),
      wanted: this.#options.format ?? 'auto',
      budgetBytes: this.#options.budgetBytes,
      freeBytes: await this.#space.freeBytes(),
    });
  }

  async #decodeAll(jobs: readonly Candidate[], format: StoreFormat): Promise<void> {
    const isSmall = ({ video, header, rawBytes }: Candidate): boolean =>
      format === 'raw' &&
      isWholeFile(video) &&
      header !== null &&
      Math.max(header.info!.bytes, rawBytes) <= smallVideoBytes;
    const small = jobs.filter(isSmall);
    const alone = jobs.filter((job) => !isSmall(job));
    const groups = [...this.#groupsOf(small), ...inGroups(alone, 1)];
    try {
      await this.#forEach(
        'decode',
        groups,
        (job) => this.#store(job, format),
        (group) => this.#decodeTogether(group, format),
      );
    } finally {
      for (const { temporary } of this.#decoded.values()) await rm(temporary, { force: true });
    }
  }

  /** Videos for one process each, so that all processors have something to do. */
  #groupsOf(jobs: readonly Candidate[]): Candidate[][] {
    const most = Math.min(videosTogether, Math.ceil(jobs.length / this.#concurrency));
    const groups: Candidate[][] = [];
    let bytes = 0;
    for (const job of jobs) {
      const group = groups.at(-1);
      const fits = group !== undefined && group.length < most && bytes + job.rawBytes <= bytesTogether;
      bytes = fits ? bytes + job.rawBytes : job.rawBytes;
      if (fits) group.push(job);
      else groups.push([job]);
    }
    return groups;
  }

  /** Decodes what it can of a group of small videos with one process, for {@link #store} to take over. */
  async #decodeTogether(group: readonly Candidate[], format: StoreFormat): Promise<void> {
    if (group.length === 1) return;
    const { shortSide, fps, maxFrames, timeoutMs } = this.#options;
    const targets = group.map((job) => ({
      job,
      info: job.header!.info!,
      selection: { shortSide, fps, maxFrames },
      file: temporaryName(this.#framesFile(job, format)),
    }));
    let written = 0;
    try {
      const times = await decodeTogether(targets, { timeoutMs, signal: this.#signal });
      for (const [k, { job, file: temporary }] of targets.entries()) {
        const timestamps = times[k];
        if (!timestamps) continue;
        const { sha256, bytes } = await hashFile(temporary, { signal: this.#signal });
        this.#decoded.set(job, { temporary, written: { timestamps, warnings: [], pictureBytes: [], sha256 } });
        written += bytes;
      }
    } finally {
      for (const { job, file } of targets) if (!this.#decoded.has(job)) await rm(file, { force: true });
    }
    await this.#space.note(written);
  }

  #framesFile({ source }: Candidate, format: StoreFormat): string {
    return framesFile(this.#folder, entryKey(source.sha256, format, this.#settings), format);
  }

  async #store(job: Candidate, format: StoreFormat): Promise<void> {
    const decoded = this.#decoded.get(job);
    // Another process may have been faster.
    const ready = await this.#intactEntry(job.source, format);
    if (ready !== null) return this.#noteUsable(job, ready, { isNew: false });
    const key = entryKey(job.source.sha256, format, this.#settings);
    const target = this.#framesFile(job, format);
    const temporary = decoded?.temporary ?? temporaryName(target);
    try {
      const together = decoded && { written: decoded.written, header: job.header! };
      const entry = this.#describe(job, format, together ?? (await this.#decode(job, format, temporary)));
      await requireUnchanged(job);
      await rename(temporary, target);
      await writeFileAtomically(entryFile(this.#folder, key), serialiseEntry(entry));
      this.#noteUsable(job, (await readEntry(this.#folder, key))!, { isNew: true });
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async #decode(job: Candidate, format: StoreFormat, file: string): Promise<DecodedSource> {
    const onBytes = (bytes: number): Promise<void> => this.#space.note(bytes);
    return withSourceFrames(job.video, job.header, this.#sourceOptions, async (source, header) => {
      const written = await writeFrames(source, file, { format, onBytes });
      if (written.timestamps.length === 0) throw emptyClip(job.video);
      return { written, header };
    });
  }

  #describe(
    { source }: Candidate,
    format: StoreFormat,
    { written, header }: DecodedSource,
  ): Omit<StoreEntry, 'version'> {
    const count = written.timestamps.length;
    const seconds = written.timestamps.at(-1)! - written.timestamps[0]!;
    const frameRate = seconds > 0 ? (count - 1) / seconds : header.frameRate;
    const { height, width } = header;
    const shape = { frames: count, height, width, frameRate };
    return { format, settings: this.#settings, source: source.sha256, ...shape, ...written };
  }

  #noteUsable({ ids, video, source }: Candidate, entry: StoreEntry, { isNew }: { isNew: boolean }): void {
    const key = entryKey(source.sha256, entry.format, this.#settings);
    for (const id of ids) this.#usable.push({ id, source: video, key, entry });
    if (isNew) this.#stored += 1;
    this.#reused += ids.length - (isNew ? 1 : 0);
  }

  /** Removes the frames of what videos held before they were changed. */
  async #removeOutdated(): Promise<void> {
    const { outdated } = this.#sources;
    if (outdated.size > 0) await removeEntries(this.#folder, ({ source }) => outdated.has(source));
  }

  /**
   * Works on several groups of items at a time: `prepare` does what it can for a group as a whole. Trouble with one
   * video is noted; trouble with the whole build ends it.
   */
  async #forEach<Item extends { id: string; ids?: string[] }>(
    phase: BuildProgress['phase'],
    groups: readonly Item[][],
    work: (item: Item) => Promise<void>,
    prepare: (group: Item[]) => Promise<void> = async () => {},
  ): Promise<void> {
    const queue = groups.values();
    const total = groups.reduce((sum, group) => sum + group.length, 0);
    let done = 0;
    const workOn = async (item: Item): Promise<void> => {
      try {
        await work(item);
      } catch (error) {
        this.#noteFailure(item.ids ?? [item.id], error);
      }
      done += 1;
      const counts = {
        stored: this.#stored,
        reused: this.#reused,
        failed: this.#failed.length,
        bytes: this.#space.written,
      };
      this.#options.onProgress?.({ phase, done, total, id: item.id, ...counts });
    };
    const worker = async (): Promise<void> => {
      for (const group of queue) {
        if (this.#signal.aborted) return;
        await prepare(group);
        for (const item of group) {
          if (this.#signal.aborted) return;
          await workOn(item);
        }
      }
    };
    const count = Math.min(this.#concurrency, groups.length);
    await Promise.all(Array.from({ length: count }, () => worker().catch((error) => this.#endBuild(error))));
    if (this.#options.signal?.aborted) throw abortedError(this.#folder, this.#options.signal.reason);
    if (this.#failure !== null) throw this.#failure;
  }

  get #concurrency(): number {
    return this.#options.concurrency ?? availableParallelism();
  }

  /** Adds videos to the failed ones, or passes on an error that concerns all of them. */
  #noteFailure(ids: readonly string[], error: unknown): void {
    const fatal: VideoErrorCode[] = ['aborted', 'ffmpeg-missing', 'ffmpeg-too-old', 'invalid-argument', 'disk-full'];
    if (!(error instanceof VideoError) || fatal.includes(error.code)) throw this.#asStoreError(error);
    const { code, reason, hint, path } = error;
    for (const id of ids) this.#failed.push({ id, path: path ?? '', code, reason, hint });
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

function inGroups<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, k) => items.slice(k * size, (k + 1) * size));
}

/** The same items from a random one on, so that processes that build the same store seldom decode the same video. */
function fromAnywhere<Item>(items: readonly Item[]): Item[] {
  const first = Math.floor(Math.random() * items.length);
  return [...items.slice(first), ...items.slice(0, first)];
}

function emptyClip({ path, clip }: SourceVideo): VideoError {
  const range = clip && ` from ${clip.start} to ${clip.end ?? 'the end'} (${clip.unit})`;
  return new VideoError({
    code: 'too-short',
    path,
    reason: `There are no frames${range ?? ''}.`,
    hint: 'Correct the range in the list, or leave the clip out.',
  });
}

async function requireUnchanged({ video, source }: Candidate): Promise<void> {
  if (isSameState(await currentState(video), source)) return;
  throw new VideoError({
    code: 'unreadable',
    path: source.path,
    reason: 'The file was changed while it was being decoded.',
    hint: 'Build again when it is complete.',
  });
}
