import { VideoError } from './errors.js';
import type { Picture } from './picture.js';
import { startOnThread, type ThreadResult } from './picture-thread.js';

/** Milliseconds that reading one list of files may take. */
const readingTimeoutMs = 300_000;

/**
 * Starts decoding image files (JPEG, PNG and what else sharp reads; gray ones become R,G,B, transparency is dropped) on
 * another thread, and returns a function that waits for them. Between start and wait the caller may work on something
 * else.
 *
 * The waiting function throws {@link VideoError} `undecodable` with the path of the file, `timeout`.
 */
export function startReadingImages(files: readonly string[]): () => Picture[] {
  const wait = startOnThread(
    { kind: 'images', files, sizesOnly: false },
    { path: files[0] ?? '', timeoutMs: readingTimeoutMs },
  );
  return () => {
    const { pixels, sizes } = succeeded(wait());
    let offset = 0;
    return sizes!.map(({ height, width }) => {
      const data = pixels!.subarray(offset, offset + height * width * 3);
      offset += data.length;
      return { data, height, width };
    });
  };
}

/** Decodes image files as {@link startReadingImages} does, and waits for them. */
export function readImages(files: readonly string[]): Picture[] {
  return startReadingImages(files)();
}

/** Heights and widths of image files, from their beginnings. Throws {@link VideoError} like {@link readImages}. */
export function imageSizes(files: readonly string[]): { height: number; width: number }[] {
  const task = { kind: 'images', files, sizesOnly: true } as const;
  return succeeded(startOnThread(task, { path: files[0] ?? '', timeoutMs: readingTimeoutMs })()).sizes!;
}

function succeeded(result: ThreadResult): Extract<ThreadResult, { failure: null }> {
  if (result.failure === null) return result;
  const { file, reason } = result.failure;
  throw new VideoError({
    code: 'undecodable',
    path: file,
    reason: `It cannot be read as an image (${reason}).`,
    hint: 'Replace the file, or leave out what it belongs to.',
  });
}
