import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import sharp from 'sharp';
import { buildFrameStore } from './frame-store-build.js';
import type { PictureJob, ThreadRequest, ThreadResult, ThreadTask } from './picture-thread.js';

// The thread that decodes pictures and rebuilds damaged videos; see picture-thread.ts.

/** Enough to keep libuv's thread pool busy. */
const picturesAtOnce = 16;

// Several small pictures side by side are faster than several threads for one, and none is needed twice.
sharp.concurrency(1);
sharp.cache(false);

parentPort!.on('message', async ({ task, done, port }: ThreadRequest) => {
  const result = await perform(task).catch((error: Error) => ({ failure: { file: '', reason: error.message } }));
  const pixels = result.failure === null ? result.pixels : null;
  port.postMessage(result, pixels === null ? [] : [pixels.buffer]);
  port.close();
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
});

function perform(task: ThreadTask): Promise<ThreadResult> {
  switch (task.kind) {
    case 'pictures':
      return readPictures(task);
    case 'images':
      return readImages(task);
    case 'rebuild':
      return rebuild(task);
  }
}

async function readPictures(task: ThreadTask & { kind: 'pictures' }): Promise<ThreadResult> {
  const pixels = new Uint8Array(task.frames * task.height * task.width * 3);
  let failure: { file: string; reason: string } | null = null;
  const pending = new Set<Promise<void>>();
  for (const { file, jobs } of task.files) {
    const fail = (error: Error): void => {
      failure ??= { file, reason: error.message };
    };
    let handle: number | null = null;
    try {
      handle = openSync(file, 'r');
      for (const job of jobs) {
        const picture = decodeInto(pixels, task, readRange(handle, job), job).catch(fail);
        pending.add(picture);
        void picture.then(() => pending.delete(picture));
        if (pending.size >= picturesAtOnce) await Promise.race(pending);
      }
    } catch (error) {
      fail(error as Error);
    } finally {
      if (handle !== null) closeSync(handle);
    }
    if (failure !== null) break;
  }
  await Promise.all(pending);
  return failure === null ? { failure, pixels } : { failure };
}

function readRange(handle: number, { offset, bytes }: PictureJob): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  let filled = 0;
  while (filled < bytes) {
    const read = readSync(handle, buffer, filled, bytes - filled, offset + filled);
    if (read === 0) throw new Error(`it ends ${bytes - filled} bytes too early`);
    filled += read;
  }
  return buffer;
}

async function decodeInto(
  pixels: Uint8Array,
  { height, width }: ThreadTask & { kind: 'pictures' },
  picture: Buffer,
  { places }: PictureJob,
): Promise<void> {
  const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true });
  if (info.height !== height || info.width !== width || info.channels !== 3) {
    throw new Error(`a picture has ${info.width} x ${info.height} pixels instead of ${width} x ${height}`);
  }
  for (const place of places) pixels.set(data, place * data.length);
}

/** Image files of any size and kind, one after the other. */
async function readImages({ files, sizesOnly }: ThreadTask & { kind: 'images' }): Promise<ThreadResult> {
  const decoded: { data: Buffer | null; height: number; width: number }[] = [];
  for (let first = 0; first < files.length; first += picturesAtOnce) {
    const some = files.slice(first, first + picturesAtOnce);
    const results = await Promise.allSettled(some.map((file) => (sizesOnly ? readSize(file) : decodeImage(file))));
    for (const [k, result] of results.entries()) {
      if (result.status === 'rejected')
        return { failure: { file: some[k]!, reason: (result.reason as Error).message } };
      decoded.push(result.value);
    }
  }
  const sizes = decoded.map(({ height, width }) => ({ height, width }));
  if (sizesOnly) return { failure: null, pixels: null, sizes };
  const pixels = new Uint8Array(decoded.reduce((sum, { data }) => sum + data!.length, 0));
  let offset = 0;
  for (const { data } of decoded) {
    pixels.set(data!, offset);
    offset += data!.length;
  }
  return { failure: null, pixels, sizes };
}

async function decodeImage(file: string) {
  const { data, info } = await sharp(file)
    .removeAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  return { data, height: info.height, width: info.width };
}

async function readSize(file: string) {
  const { height, width } = await sharp(file).metadata();
  return { data: null, height: height!, width: width! };
}

async function rebuild({ dir, video, options }: ThreadTask & { kind: 'rebuild' }): Promise<ThreadResult> {
  const { failed } = await buildFrameStore(dir, [video], options);
  const [first] = failed;
  return first === undefined
    ? { failure: null, pixels: null }
    : { failure: { file: first.path, reason: first.reason } };
}
