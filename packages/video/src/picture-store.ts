import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import sharp from 'sharp';
import { abortedError } from './children.js';
import { diskFullError, isDiskFull, VideoError } from './errors.js';
import { jpegOptions } from './store-frames.js';
import { uniqueSuffix } from './temporary-files.js';

/** The pictures that a video lies on the disk as, in order; or a single image. */
export interface PictureVideo {
  id: string;
  files: readonly string[];
}

/** How a picture store is built. */
export interface BuildPictureStoreOptions {
  /** Larger pictures are scaled to this many pixels on the shorter side; smaller ones stay. */
  shortSide: number;
  /** Stops the build; what is stored so far stays. */
  signal?: AbortSignal;
  /** Called after each video. */
  onProgress?: (done: number) => void;
}

/** Where the frames of one of its videos are: JPEG pictures of one size in a file. */
export interface StoredPictures {
  file: string;
  /** Where each picture begins in the file, and where the last one ends. */
  offsets: Float64Array;
  frames: number;
  height: number;
  width: number;
}

/** Result of {@link buildPictureStore}; `stored` and `reused` count videos. */
export interface PictureStoreResult {
  stored: number;
  reused: number;
  failed: { id: string; reason: string }[];
  /** Finds stored videos by id. */
  store: { get(id: string): StoredPictures | null };
}

/** One line of the journal. */
interface JournalLine {
  key: string;
  /** Name of the file of pictures. */
  file: string;
  offset: number;
  bytes: number[];
  height: number;
  width: number;
}

/** Videos whose pictures are read and compressed at the same time. */
const videosAtOnce = 4;

/**
 * Keeps videos that are folders of pictures (R2V2, frames of a data set), or single images, as JPEG pictures of one size a
 * video, in few large files that `readPictures` reads. The first picture decides a video's shape; others are cut to it.
 *
 * It can be killed at any moment and started again, and several processes may build in one folder: each writes a file of
 * its own, and a journal tells which parts of the files are whole. Pictures that changed since are stored anew.
 *
 * Throws {@link VideoError} `disk-full`, `unwritable`, `aborted`. A video whose pictures cannot be read is in `failed`.
 */
export async function buildPictureStore(
  folder: string,
  videos: readonly PictureVideo[],
  { shortSide, signal, onProgress }: BuildPictureStoreOptions,
): Promise<PictureStoreResult> {
  const dir = resolve(folder);
  makeFolder(dir);
  const known = readJournal(dir);
  const found = new Map<string, StoredPictures>();
  const failed: PictureStoreResult['failed'] = [];
  let [stored, done] = [0, 0];
  const writer = new PictureWriter(dir);
  const store = async (video: PictureVideo): Promise<void> => {
    try {
      const key = await contentKey(video.files, shortSide);
      const line = known.get(key) ?? (await writer.write(key, await compress(video.files, shortSide)));
      if (!known.has(key)) stored++;
      found.set(video.id, describe(dir, line));
    } catch (error) {
      if (error instanceof VideoError) throw error;
      failed.push({ id: video.id, reason: (error as Error).message });
    }
    onProgress?.(++done);
  };
  const waiting = [...videos];
  const lane = async (): Promise<void> => {
    for (let video = waiting.shift(); video !== undefined; video = waiting.shift()) {
      if (signal?.aborted) throw abortedError(dir);
      await store(video);
    }
  };
  const lanes = Array.from({ length: videosAtOnce }, lane);
  const ends = await Promise.allSettled(lanes);
  await writer.close();
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return { stored, reused: found.size - stored, failed, store: { get: (id) => found.get(id) ?? null } };
}

/** Appends pictures to a file of this process, one video at a time, and each to the journal when it is whole. */
class PictureWriter {
  readonly #folder: string;
  readonly #name = `pictures-${uniqueSuffix()}.jpegs`;
  #handle: FileHandle | null = null;
  #end = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  write(key: string, pictures: Awaited<ReturnType<typeof compress>>): Promise<JournalLine> {
    const line = this.#last.then(() => this.#append(key, pictures));
    this.#last = line.catch(() => {});
    return line;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#handle?.close();
  }

  async #append(key: string, { data, height, width }: Awaited<ReturnType<typeof compress>>): Promise<JournalLine> {
    try {
      this.#handle ??= await open(join(this.#folder, this.#name), 'ax');
      for (const picture of data) await this.#handle.appendFile(picture);
      const bytes = data.map(({ length }) => length);
      const line = { key, file: this.#name, offset: this.#end, bytes, height, width };
      this.#end += bytes.reduce((sum, one) => sum + one, 0);
      appendFileSync(journalFile(this.#folder), `${JSON.stringify(line)}\n`);
      return line;
    } catch (error) {
      if (isDiskFull(error)) throw diskFullError(this.#folder, error);
      throw unwritable(this.#folder, error);
    }
  }
}

/** Scaled and compressed pictures of one size. */
async function compress(
  files: readonly string[],
  shortSide: number,
): Promise<{ data: Buffer[]; height: number; width: number }> {
  if (files.length === 0) throw new Error('it has no pictures');
  const first = await scaled(files[0]!, { width: shortSide, height: shortSide, fit: 'outside' });
  const { height, width } = first.info;
  const others = await Promise.all(files.slice(1).map((file) => scaled(file, { width, height, fit: 'cover' })));
  return { data: [first, ...others].map(({ data }) => data), height, width };
}

function scaled(file: string, size: { width: number; height: number; fit: 'outside' | 'cover' }) {
  return sharp(file)
    .rotate()
    .resize({ ...size, withoutEnlargement: size.fit === 'outside' })
    .removeAlpha()
    .toColourspace('srgb')
    .jpeg(jpegOptions)
    .toBuffer({ resolveWithObject: true })
    .catch((error: Error) => {
      throw new Error(`${basename(file)}: ${error.message}`);
    });
}

/** Tells pictures from others, and from themselves after a change. */
async function contentKey(files: readonly string[], shortSide: number): Promise<string> {
  const states = await Promise.all(
    files.map(async (file) => {
      const { size, mtimeMs } = await stat(file);
      return [resolve(file), size, mtimeMs];
    }),
  );
  return createHash('sha256')
    .update(JSON.stringify([shortSide, jpegOptions, states]))
    .digest('hex')
    .slice(0, 32);
}

const journalFile = (folder: string): string => join(folder, 'pictures.jsonl');

/** Entries whose pictures are there in full; a line that a kill cut short is none. */
function readJournal(folder: string): Map<string, JournalLine> {
  if (!existsSync(journalFile(folder))) return new Map();
  const sizes = new Map<string, number>();
  const sizeOf = (file: string): number => {
    const known = sizes.get(file) ?? statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0;
    sizes.set(file, known);
    return known;
  };
  const lines = readFileSync(journalFile(folder), 'utf8').split('\n').flatMap(parseLine);
  const whole = lines.filter(({ file, offset, bytes }) => offset + bytes.reduce((a, b) => a + b, 0) <= sizeOf(file));
  return new Map(whole.map((line) => [line.key, line]));
}

function parseLine(text: string): JournalLine[] {
  try {
    return [JSON.parse(text) as JournalLine];
  } catch {
    return [];
  }
}

function describe(folder: string, { file, offset, bytes, height, width }: JournalLine): StoredPictures {
  const offsets = Float64Array.from({ length: bytes.length + 1 });
  offsets[0] = offset;
  for (const [k, length] of bytes.entries()) offsets[k + 1] = offsets[k]! + length;
  return { file: join(folder, file), offsets, frames: bytes.length, height, width };
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

function unwritable(path: string, cause: unknown): VideoError {
  const reason = `Nothing can be written there (${(cause as Error).message}).`;
  return new VideoError({
    code: 'unwritable',
    path,
    reason,
    hint: 'Check the permission, or take another folder.',
    cause,
  });
}
