import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

// A reader that shares nothing with the writer: bit-by-bit checksums, and protobuf's wire format by hand.

function slowChecksum(bytes: Uint8Array): number {
  let remainder = 0xffffffffn;
  for (const byte of bytes) {
    remainder ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >> 1n) ^ (remainder & 1n ? 0x82f63b78n : 0n);
  }
  const value = remainder ^ 0xffffffffn;
  const rotated = ((value >> 15n) | (value << 17n)) & 0xffffffffn;
  return Number((rotated + 0xa282ead8n) & 0xffffffffn);
}

function readRecords(file: string): Buffer[] {
  const bytes = readFileSync(file);
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const data = bytes.subarray(at + 12, at + 12 + length);
    assert.equal(bytes.readUInt32LE(at + 8), slowChecksum(bytes.subarray(at, at + 8)));
    assert.equal(bytes.readUInt32LE(at + 12 + length), slowChecksum(data));
    records.push(data);
    at += 16 + length;
  }
  return records;
}

/** Fields of a message by number: integers, doubles, floats, and bytes. */
export function readFields(bytes: Buffer): Map<number, (number | Buffer)[]> {
  const fields = new Map<number, (number | Buffer)[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  const readValue = (wireType: number): number | Buffer => {
    if (wireType === 0) return varint();
    const length = wireType === 2 ? varint() : wireType === 1 ? 8 : 4;
    const part = bytes.subarray(at, at + length);
    at += length;
    return wireType === 2 ? part : wireType === 1 ? part.readDoubleLE() : part.readFloatLE();
  };
  while (at < bytes.length) {
    const key = varint();
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), readValue(key & 7)]);
  }
  return fields;
}

/** The events of a file in order. */
export function readEvents(file: string) {
  return readRecords(file).map((record) => {
    const event = readFields(record);
    const summary = event.get(5)?.[0] as Buffer | undefined;
    const values = (summary ? (readFields(summary).get(1) as Buffer[]) : []).map((value) => {
      const fields = readFields(value);
      return {
        tag: String(fields.get(1)![0]),
        scalar: fields.get(2)?.[0] as number,
        image: fields.get(4)?.[0] as Buffer | undefined,
        histo: fields.get(5)?.[0],
        metadata: fields.get(9)?.[0] as Buffer | undefined,
      };
    });
    return { step: (event.get(2)?.[0] ?? 0) as number, version: event.get(3)?.[0]?.toString(), values };
  });
}
