import { type FileHandle, open } from 'node:fs/promises';

/** With what MP4 and QuickTime files begin. */
const firstBoxes = ['ftyp', 'mdat', 'moov', 'wide', 'free', 'skip'];
/** A file in order has a handful of boxes outermost; what has more is damaged. */
const mostBoxes = 10_000;

/** What is wrong with the index (the box `moov`, ISO/IEC 14496-12) of a file that was cut off. */
export type IndexDefect = 'missing' | 'incomplete';

/**
 * Looks for the index of an MP4 or QuickTime file: `missing` if the outermost boxes end without one, `incomplete` if it
 * states more bytes than the file has; null if it is there, or if the file is of another format.
 */
export async function findIndexDefect(path: string): Promise<IndexDefect | null> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    let offset = 0;
    for (let count = 0; count < mostBoxes; count++) {
      const box = await readBox(file, offset, size);
      if (box === null || (count === 0 && !firstBoxes.includes(box.type))) return count === 0 ? null : 'missing';
      if (box.type === 'moov') return box.end > size ? 'incomplete' : null;
      offset = box.end;
    }
    return null;
  } finally {
    await file.close();
  }
}

/** Type and end of the box at an offset; null where the file ends, or what is there is no box. */
async function readBox(
  file: FileHandle,
  offset: number,
  fileSize: number,
): Promise<{ type: string; end: number } | null> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, offset);
  if (bytesRead < 8) return null;
  const type = buffer.toString('latin1', 4, 8);
  const stated = buffer.readUInt32BE(0);
  // 0: up to the end of the file; 1: the size comes after the type, in 64 bits.
  if (stated === 0) return { type, end: fileSize };
  const size = stated === 1 ? Number(buffer.readBigUInt64BE(8)) : stated;
  return size < 8 ? null : { type, end: offset + size };
}
