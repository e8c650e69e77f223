import { crc32 } from 'node:zlib';
import type { Piece } from './pieces.js';

/** PyTorch aligns storages to this, so that they can be mapped. */
const ALIGNMENT = 64;
const PADDING_EXTRA = 0x4246;
const ZIP64_EXTRA = 1;
/** Version of the format that has zip64, and the year, month and day 1980-01-01 for every entry. */
const VERSION = 45;
const DATE = 0x21;
const UTF8_NAMES = 0x0800;
const FULL = 0xffffffff;

interface Written {
  name: Buffer;
  bytes: number;
  crc32: number;
  position: number;
}

/**
 * Lays out a zip archive of stored entries, each aligned to 64 bytes. Format: PKWARE's APPNOTE 6.3. Where sizes or
 * positions need it, it has the fields of zip64.
 */
export class ZipWriter {
  readonly #wideFrom: number;
  readonly #written: Written[] = [];
  #position = 0;

  /**
   * @param options.wideFrom from which size or position on zip64's fields are used; smaller ones only serve tests
   */
  constructor({ wideFrom = FULL }: { wideFrom?: number } = {}) {
    this.#wideFrom = wideFrom;
  }

  /** The pieces of an entry of `bytes` bytes. */
  *add(name: string, bytes: number, contents: Iterable<Uint8Array>): Generator<Piece> {
    const entry: Written = { name: Buffer.from(name), bytes, crc32: 0, position: this.#position };
    yield this.#append(this.#localHeader(entry));
    for (const piece of contents) {
      entry.crc32 = crc32(piece, entry.crc32);
      yield this.#append(piece);
    }
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(entry.crc32);
    yield { bytes: checksum, position: entry.position + 14 };
    this.#written.push(entry);
  }

  /** The directory of the entries. */
  *finish(): Generator<Piece> {
    const start = this.#position;
    for (const entry of this.#written) yield this.#append(this.#directoryRecord(entry));
    const bytes = this.#position - start;
    const count = this.#written.length;
    const isWide = start >= this.#wideFrom || bytes >= this.#wideFrom || count >= Math.min(this.#wideFrom, 0xffff);
    if (isWide) yield this.#append(zip64End(count, bytes, start, this.#position));
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(isWide ? 0xffff : count, 8);
    end.writeUInt16LE(isWide ? 0xffff : count, 10);
    end.writeUInt32LE(isWide ? FULL : bytes, 12);
    end.writeUInt32LE(isWide ? FULL : start, 16);
    yield this.#append(end);
  }

  #append(bytes: Uint8Array): Piece {
    const position = this.#position;
    this.#position += bytes.length;
    return { bytes, position };
  }

  #localHeader({ name, bytes, position }: Written): Buffer {
    const isWide = bytes >= this.#wideFrom;
    const wide = isWide ? zip64Extra([bytes, bytes]) : Buffer.alloc(0);
    const unpadded = position + 30 + name.length + wide.length + 4;
    const padding = (ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT;
    const extra = Buffer.concat([wide, extraField(PADDING_EXTRA, Buffer.alloc(padding, 'Z'))]);
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    header.writeUInt16LE(VERSION, 4);
    header.writeUInt16LE(UTF8_NAMES, 6);
    header.writeUInt16LE(DATE, 12);
    header.writeUInt32LE(isWide ? FULL : bytes, 18);
    header.writeUInt32LE(isWide ? FULL : bytes, 22);
    header.writeUInt16LE(name.length, 26);
    header.writeUInt16LE(extra.length, 28);
    return Buffer.concat([header, name, extra]);
  }

  #directoryRecord({ name, bytes, crc32, position }: Written): Buffer {
    const isLarge = bytes >= this.#wideFrom;
    const isFar = position >= this.#wideFrom;
    const wide = [...(isLarge ? [bytes, bytes] : []), ...(isFar ? [position] : [])];
    const extra = wide.length > 0 ? zip64Extra(wide) : Buffer.alloc(0);
    const record = Buffer.alloc(46);
    record.writeUInt32LE(0x02014b50, 0);
    record.writeUInt16LE(VERSION, 4);
    record.writeUInt16LE(VERSION, 6);
    record.writeUInt16LE(UTF8_NAMES, 8);
    record.writeUInt16LE(DATE, 14);
    record.writeUInt32LE(crc32, 16);
    record.writeUInt32LE(isLarge ? FULL : bytes, 20);
    record.writeUInt32LE(isLarge ? FULL : bytes, 24);
    record.writeUInt16LE(name.length, 28);
    record.writeUInt16LE(extra.length, 30);
    record.writeUInt32LE(isFar ? FULL : position, 42);
    return Buffer.concat([record, name, extra]);
  }
}

function extraField(id: number, content: Buffer): Buffer {
  const field = Buffer.alloc(4);
  field.writeUInt16LE(id, 0);
  field.writeUInt16LE(content.length, 2);
  return Buffer.concat([field, content]);
}

function zip64Extra(sizes: readonly number[]): Buffer {
  const content = Buffer.alloc(8 * sizes.length);
  sizes.forEach((size, i) => {
    content.writeBigUInt64LE(BigInt(size), 8 * i);
  });
  return extraField(ZIP64_EXTRA, content);
}

/** The end of the directory in wide fields, and the locator that points to it. */
function zip64End(count: number, bytes: number, start: number, position: number): Buffer {
  const end = Buffer.alloc(56 + 20);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE(VERSION, 12);
  end.writeUInt16LE(VERSION, 14);
  end.writeBigUInt64LE(BigInt(count), 24);
  end.writeBigUInt64LE(BigInt(count), 32);
  end.writeBigUInt64LE(BigInt(bytes), 40);
  end.writeBigUInt64LE(BigInt(start), 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(position), 64);
  end.writeUInt32LE(1, 72);
  return end;
}
