import { crc32, inflateRawSync } from 'node:zlib';
import type { BinaryFile } from './binary-file.js';
import { FormatError } from './format-error.js';

/**
 * The part of the zip format that checkpoints and `.npz` files use, read at once (yauzl and its like are asynchronous
 * and read by streams, while tensors are mapped where they lie): stored or deflated entries, zip64, no encryption.
 * Format: PKWARE's APPNOTE 6.3.
 */
export interface ZipEntry {
  readonly name: string;
  /** Whether the bytes lie in the file as they are. */
  readonly stored: boolean;
  /** Size in the file. */
  readonly storedBytes: number;
  /** Size after decompression. */
  readonly bytes: number;
  /** 0 where the writer did not compute it, which is an option of PyTorch. */
  readonly crc32: number;
  readonly headerPosition: number;
}

const END = { signature: 0x06054b50, bytes: 22 };
const END64_LOCATOR = { signature: 0x07064b50, bytes: 20 };
const END64 = { signature: 0x06064b50, bytes: 56 };
const DIRECTORY = { signature: 0x02014b50, bytes: 46 };
const LOCAL = { signature: 0x04034b50, bytes: 30 };
const ZIP64_EXTRA = 1;
const MOST_COMMENT_BYTES = 0xffff;
/** Deflate cannot shrink more than this; what claims to is refused before memory is taken for it. */
const MOST_DEFLATE_RATIO = 1032;
const MOST_INFLATED_BYTES = 2 ** 30;

/** The entries of a zip archive. */
export class ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #file: BinaryFile;

  /** @throws FormatError when this is no zip archive or a malformed one */
  constructor(file: BinaryFile) {
    this.#file = file;
    this.entries = readDirectory(file);
  }

  /** Where the bytes of a stored entry begin in the file. */
  position(entry: ZipEntry): number {
    const local = this.#file.read(entry.headerPosition, LOCAL.bytes);
    if (local.readUInt32LE(0) !== LOCAL.signature) {
      throw new FormatError(`the entry '${entry.name}' does not lie where the directory says`);
    }
    return entry.headerPosition + LOCAL.bytes + local.readUInt16LE(26) + local.readUInt16LE(28);
  }

  /** The bytes of an entry, decompressed and compared with its checksum. */
  read(entry: ZipEntry): Buffer {
    const raw = this.#file.read(this.position(entry), entry.storedBytes);
    const bytes = entry.stored ? raw : inflate(raw, entry);
    if (entry.crc32 !== 0 && crc32(bytes) !== entry.crc32) {
      throw new FormatError(`the entry '${entry.name}' is damaged (its checksum differs)`);
    }
    return bytes;
  }
}

function inflate(raw: Buffer, { name, bytes }: ZipEntry): Buffer {
  if (bytes > raw.length * MOST_DEFLATE_RATIO || bytes > MOST_INFLATED_BYTES) {
    throw new FormatError(`the entry '${name}' of ${raw.length} bytes claims to hold ${bytes}, which is too much`);
  }
  try {
    const inflated = inflateRawSync(raw, { maxOutputLength: Math.max(bytes, 1) });
    if (inflated.length === bytes) return inflated;
  } catch {
    // The same reason for whatever zlib objects to.
  }
  throw new FormatError(`the entry '${name}' cannot be decompressed to its ${bytes} bytes`);
}

function readDirectory(file: BinaryFile): Map<string, ZipEntry> {
  const { position, bytes, count } = findDirectory(file);
  const directory = file.read(position, bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + DIRECTORY.bytes > bytes || directory.readUInt32LE(at) !== DIRECTORY.signature) {
      throw new FormatError('its directory of entries is damaged');
    }
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const end = at + DIRECTORY.bytes + nameBytes + extraBytes + directory.readUInt16LE(at + 32);
    if (end > bytes) throw new FormatError('its directory of entries is damaged');
    const entry = readEntry(directory.subarray(at, end), nameBytes, extraBytes);
    if (entries.has(entry.name)) throw new FormatError(`it has two entries named '${entry.name}'`);
    if (entry.headerPosition + LOCAL.bytes + entry.storedBytes > position) {
      throw new FormatError(`the entry '${entry.name}' lies beyond the data`);
    }
    entries.set(entry.name, entry);
    at = end;
  }
  refuseOverlaps(entries);
  return entries;
}

/** Entries that lie on one another make a small file decompress to a large one. */
function refuseOverlaps(entries: ReadonlyMap<string, ZipEntry>): void {
  let end = 0;
  for (const entry of [...entries.values()].sort((a, b) => a.headerPosition - b.headerPosition)) {
    if (entry.headerPosition < end) throw new FormatError(`the entry '${entry.name}' overlaps the one before it`);
    end = entry.headerPosition + LOCAL.bytes + entry.storedBytes;
  }
}

function findDirectory(file: BinaryFile): { position: number; bytes: number; count: number } {
  const tailBytes = Math.min(file.size, END.bytes + MOST_COMMENT_BYTES);
  const tailStart = file.size - tailBytes;
  const tail = file.read(tailStart, tailBytes);
  let at = tailBytes - END.bytes;
  while (
    at >= 0 &&
    !(tail.readUInt32LE(at) === END.signature && tail.readUInt16LE(at + 20) === tailBytes - at - END.bytes)
  ) {
    at -= 1;
  }
  if (at < 0) throw new FormatError('it has no directory of entries at its end, so it is probably truncated');
  const end = tailStart + at;
  const found = findDirectory64(file, end) ?? {
    position: tail.readUInt32LE(at + 16),
    bytes: tail.readUInt32LE(at + 12),
    count: tail.readUInt16LE(at + 10),
  };
  if (found.position + found.bytes > end) throw new FormatError('its directory of entries lies beyond its end');
  return found;
}

function findDirectory64(file: BinaryFile, end: number) {
  if (end < END64_LOCATOR.bytes) return undefined;
  const locator = file.read(end - END64_LOCATOR.bytes, END64_LOCATOR.bytes);
  if (locator.readUInt32LE(0) !== END64_LOCATOR.signature) return undefined;
  const record = file.read(readSize(locator, 8), END64.bytes);
  if (record.readUInt32LE(0) !== END64.signature) throw new FormatError('its zip64 directory is damaged');
  return { position: readSize(record, 48), bytes: readSize(record, 40), count: readSize(record, 32) };
}

function readEntry(record: Buffer, nameBytes: number, extraBytes: number): ZipEntry {
  const name = record.toString('utf8', DIRECTORY.bytes, DIRECTORY.bytes + nameBytes);
  const flags = record.readUInt16LE(8);
  const method = record.readUInt16LE(10);
  if ((flags & 1) !== 0) throw new FormatError(`the entry '${name}' is encrypted`);
  if (method !== 0 && method !== 8) throw new FormatError(`the entry '${name}' has the unknown compression ${method}`);
  const extraStart = DIRECTORY.bytes + nameBytes;
  const wide = wideSizes(record.subarray(extraStart, extraStart + extraBytes), name);
  const size = (at: number) => {
    const value = record.readUInt32LE(at);
    return value === 0xffffffff ? wide() : value;
  };
  // The wide sizes stand in this order, each only where the narrow field is full.
  const bytes = size(24);
  const storedBytes = size(20);
  const headerPosition = size(42);
  if (method === 0 && bytes !== storedBytes) throw new FormatError(`the entry '${name}' has two sizes`);
  return { name, stored: method === 0, storedBytes, bytes, crc32: record.readUInt32LE(16), headerPosition };
}

/** Gives out the numbers of the zip64 field one after the other. */
function wideSizes(extra: Buffer, name: string): () => number {
  let at = 0;
  let end = 0;
  while (at + 4 <= extra.length && end === 0) {
    const isWide = extra.readUInt16LE(at) === ZIP64_EXTRA;
    const length = extra.readUInt16LE(at + 2);
    at += 4;
    if (isWide) end = Math.min(at + length, extra.length);
    else at += length;
  }
  return () => {
    if (at + 8 > end) throw new FormatError(`the entry '${name}' lacks its zip64 sizes`);
    at += 8;
    return readSize(extra, at - 8);
  };
}

function readSize(buffer: Buffer, at: number): number {
  const size = buffer.readBigUInt64LE(at);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) throw new FormatError(`it states an impossible size (${size} bytes)`);
  return Number(size);
}
