import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { withFile } from './binary-file.js';
import { writePieces } from './pieces.js';
import { ZipArchive } from './zip-archive.js';
import { ZipWriter } from './zip-writer.js';

const folder = mkdtempSync(join(tmpdir(), 'zip-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'x.zip');

/** An archive of two entries, 'a' and 'b'. */
function archive(a: Uint8Array, { wideFrom }: { wideFrom?: number } = {}): Buffer {
  const writer = new ZipWriter({ wideFrom });
  writePieces(path, 'zip', [
    ...writer.add('a', a.length, [a]),
    ...writer.add('b', 3, [Buffer.from('bbb')]),
    ...writer.finish(),
  ]);
  return readFileSync(path);
}

/** Positions of the fields in an entry's record in the directory. */
const FIELD = { flags: 8, method: 10, checksum: 16, storedBytes: 20, bytes: 24, position: 42 };

function record(bytes: Buffer, name: string): number {
  let at = bytes.indexOf('PK\x01\x02', 0, 'latin1');
  while (bytes.toString('latin1', at + 46, at + 47) !== name) at = bytes.indexOf('PK\x01\x02', at + 1, 'latin1');
  return at;
}

function readAll(bytes: Buffer): string[] {
  writeFileSync(path, bytes);
  return withFile(path, 'zip', (file) => {
    const opened = new ZipArchive(file);
    return [...opened.entries.values()].map((entry) => opened.read(entry).toString('latin1'));
  });
}

function assertRefused(bytes: Buffer, message: RegExp): void {
  assert.throws(() => readAll(bytes), { code: 'io', message });
}

test('stored entries are read, and compared with their checksum where it was computed', () => {
  const bytes = archive(Buffer.from('hello'));
  assert.deepEqual(readAll(bytes), ['hello', 'bbb']);
  const checksum = record(bytes, 'a') + FIELD.checksum;
  bytes.writeUInt32LE(bytes.readUInt32LE(checksum) ^ 1, checksum);
  assertRefused(bytes, /'a' is damaged/);
  bytes.writeUInt32LE(0, checksum);
  assert.deepEqual(readAll(bytes), ['hello', 'bbb']);
});

test('deflated entries are read, within what they can and may decompress to', () => {
  const text = 'x'.repeat(5000);
  const deflated = deflateRawSync(text);
  const file = (bytes: number) => {
    const made = archive(deflated);
    const at = record(made, 'a');
    made.writeUInt16LE(8, at + FIELD.method);
    made.writeUInt32LE(0, at + FIELD.checksum);
    made.writeUInt32LE(bytes, at + FIELD.bytes);
    return made;
  };
  assert.equal(readAll(file(5000))[0], text);
  assertRefused(file(4999), /cannot be decompressed to its 4999 bytes/);
  assertRefused(file(5001), /cannot be decompressed to its 5001 bytes/);
  assertRefused(file(2_000_000_000), /claims to hold 2000000000/);
});

test('entries that overlap, lie outside, are encrypted or of an unknown kind are refused', () => {
  const changed = (field: keyof typeof FIELD, value: number, size = 4) => {
    const bytes = archive(Buffer.alloc(200));
    bytes.writeUIntLE(value, record(bytes, 'b') + FIELD[field], size);
    return bytes;
  };
  assertRefused(changed('position', 0), /'b' overlaps/);
  assertRefused(changed('position', 100_000), /'b' lies beyond the data/);
  assertRefused(changed('position', 5), /overlaps/);
  assertRefused(changed('flags', 1, 2), /'b' is encrypted/);
  assertRefused(changed('method', 12, 2), /unknown compression 12/);
  assertRefused(changed('bytes', 4), /'b' has two sizes/);
});

test('an archive that is cut off, or followed by other bytes, is refused', () => {
  const bytes = archive(Buffer.from('hello'));
  assertRefused(bytes.subarray(0, -1), /no directory of entries at its end/);
  assertRefused(Buffer.concat([bytes, Buffer.from('x')]), /no directory of entries at its end/);
  assertRefused(Buffer.alloc(100), /no directory of entries/);
});

test('zip64: impossible sizes and a damaged directory are refused', () => {
  const bytes = archive(Buffer.from('hello'), { wideFrom: 1 });
  assert.deepEqual(readAll(bytes), ['hello', 'bbb']);
  const end = bytes.indexOf('PK\x06\x06', 0, 'latin1');
  const impossible = Buffer.from(bytes);
  impossible.writeBigUInt64LE(2n ** 63n, end + 48);
  assertRefused(impossible, /impossible size/);
  const beyond = Buffer.from(bytes);
  beyond.writeBigUInt64LE(10_000n, end + 48);
  assertRefused(beyond, /beyond its end/);
  const unmarked = Buffer.from(bytes);
  unmarked.write('XX', end);
  assertRefused(unmarked, /zip64 directory is damaged/);
});
