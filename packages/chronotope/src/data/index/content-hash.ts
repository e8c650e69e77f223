import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

const CHUNK_BYTES = 1 << 20;

/**
 * SHA-256 of a file's contents, in hexadecimal; null when it cannot be read. A faster hash would gain nothing: with the
 * processors' own instructions it is quicker than most disks, and decoding a video takes many times as long.
 */
export async function contentHash(path: string, signal?: AbortSignal): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES, signal })) hash.update(chunk);
  } catch {
    return null;
  }
  return hash.digest('hex');
}
