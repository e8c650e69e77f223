import { type FileHandle, open } from 'node:fs/promises';
import { extract } from 'tar-stream';
import type { ArchiveMember } from '../manifest.js';
import { malformed } from './lines.js';

const BLOCK = 512;

/** Bytes read at once: a header with the two blocks that name extensions usually take. */
const WINDOW = 4 * BLOCK;

/**
 * Lists the files in a tar archive without reading them: headers are decoded (also long names, pax and sizes beyond
 * 8 GiB), contents are skipped over. The archive must not be compressed.
 *
 * @throws ChronotopeError `malformed-line` for a file that is no tar archive or is cut off
 */
export async function indexTar(path: string): Promise<ArchiveMember[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const members: ArchiveMember[] = [];
    let position = 0;
    for (;;) {
      const header = await readHeader(file, path, position);
      if (header === null) return members;
      const { name, type, size: bytes } = header;
      if (header.offset + bytes > size) {
        throw malformed(path, null, `cut off: "${name}" ends at byte ${header.offset + bytes}, the archive at ${size}`);
      }
      if (type === 'file' || type === 'contiguous-file') members.push({ name, offset: header.offset, size: bytes });
      position = header.offset + Math.ceil(bytes / BLOCK) * BLOCK;
    }
  } finally {
    await file.close();
  }
}

/** The bytes of a file inside a tar archive. */
export async function readTarMember(path: string, { offset, size }: ArchiveMember): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, offset);
    if (bytesRead !== size) {
      throw malformed(path, null, `cut off: expected ${size} bytes at ${offset}, got ${bytesRead}`);
    }
    return buffer;
  } finally {
    await file.close();
  }
}

interface TarHeader {
  name: string;
  type: string;
  size: number;
  /** Where the content begins. */
  offset: number;
}

/** Feeds blocks to a fresh decoder until it reports a file; `null` at the end of the archive. */
async function readHeader(file: FileHandle, path: string, start: number): Promise<TarHeader | null> {
  const decoder = extract();
  const state: { found: Omit<TarHeader, 'offset'> | null; failure: Error | null } = { found: null, failure: null };
  decoder.on('entry', ({ name, type, size }) => {
    state.found = { name, type: type ?? 'file', size: size ?? 0 };
  });
  decoder.on('error', (error: Error) => {
    state.failure = error;
  });
  try {
    for (let position = start; ; position += WINDOW) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(WINDOW), 0, WINDOW, position);
      for (let at = 0; at < WINDOW; at += BLOCK) {
        const block = buffer.subarray(at, at + BLOCK);
        // Two blocks of zeros end an archive; some writers leave them out.
        if (position + at === start && (bytesRead === 0 || isZero(block))) return null;
        if (bytesRead < at + BLOCK) throw malformed(path, null, `cut off in a header at byte ${position + at}`);
        decoder.write(block);
        await new Promise(setImmediate);
        if (state.failure !== null) {
          throw malformed(path, null, `no tar archive: ${state.failure.message} at byte ${position + at}`);
        }
        if (state.found !== null) return { ...state.found, offset: position + at + BLOCK };
      }
    }
  } finally {
    decoder.destroy();
  }
}

const isZero = (block: Buffer): boolean => block.every((byte) => byte === 0);
