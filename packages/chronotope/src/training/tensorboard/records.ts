import { crc32c } from './crc32c.js';

const HEADER_BYTES = 12;
const FOOTER_BYTES = 4;

/**
 * A record of a TFRecord file: its length (uint64), the checksum of the length, the data, their checksum; all numbers
 * little-endian.
 */
export function encodeRecord(data: Uint8Array): Buffer {
  const record = Buffer.alloc(HEADER_BYTES + data.length + FOOTER_BYTES);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedChecksum(record.subarray(0, 8)), 8);
  record.set(data, HEADER_BYTES);
  record.writeUInt32LE(maskedChecksum(data), HEADER_BYTES + data.length);
  return record;
}

/** The records of a file in order, up to the first that is damaged or was cut short; `end` is the offset behind each. */
export function* decodeRecords(file: Buffer): Generator<{ data: Buffer; end: number }> {
  let start = 0;
  while (start + HEADER_BYTES + FOOTER_BYTES <= file.length) {
    const header = file.subarray(start, start + 8);
    if (file.readUInt32LE(start + 8) !== maskedChecksum(header)) return;
    const dataEnd = start + HEADER_BYTES + Number(header.readBigUInt64LE());
    const end = dataEnd + FOOTER_BYTES;
    if (end > file.length) return;
    const data = file.subarray(start + HEADER_BYTES, dataEnd);
    if (file.readUInt32LE(dataEnd) !== maskedChecksum(data)) return;
    yield { data, end };
    start = end;
  }
}

/** TFRecord rotates a checksum and adds a constant, so that files that hold checksums have safe checksums themselves. */
function maskedChecksum(bytes: Uint8Array): number {
  const checksum = crc32c(bytes);
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}
