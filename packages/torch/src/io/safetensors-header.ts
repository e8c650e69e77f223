import type { DType } from '../tensor.js';

/** Where a tensor lies in a safetensors file. Offsets are bytes from the end of the header. */
export interface TensorEntry {
  name: string;
  dtype: DType;
  shape: number[];
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  tensors: TensorEntry[];
  metadata: Record<string, string>;
}

/** Bytes before the header: its length as an unsigned 64-bit little-endian number. */
export const LENGTH_BYTES = 8;
/** The format's own limit; a larger number means the file is not a safetensors file. */
export const MAX_HEADER_BYTES = 100_000_000;

const FORMAT_NAME: Partial<Record<DType, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};
const DTYPE_OF = new Map(Object.entries(FORMAT_NAME).map(([dtype, name]) => [name, dtype as DType]));

const ITEM_BYTES: Record<string, number> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

/** Bytes of one element. */
export function itemBytes(dtype: DType): number {
  return ITEM_BYTES[dtype]!;
}

/** Reason why a header is refused; the reader adds the file's name. */
export class HeaderError extends Error {
  override name = 'HeaderError';
}

/** The header as bytes, padded with spaces so that the data after it starts at a multiple of 8. */
export function encodeHeader({ tensors, metadata }: SafetensorsHeader): Buffer {
  const entries: [string, unknown][] = tensors.map(({ name, dtype, shape, begin, end }) => [
    name,
    { dtype: FORMAT_NAME[dtype], shape, data_offsets: [begin, end] },
  ]);
  if (Object.keys(metadata).length > 0) {
    entries.unshift(['__metadata__', metadata]);
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const padding = (LENGTH_BYTES - (json.length % LENGTH_BYTES)) % LENGTH_BYTES;
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(json.length + padding));
  return Buffer.concat([length, json, Buffer.alloc(padding, ' ')]);
}

/**
 * Reads and checks a header: every tensor well-formed, and together covering the data without holes or overlaps.
 *
 * @param bytes the header without its length
 * @param dataBytes size of the data after the header
 * @throws HeaderError naming the reason
 */
export function decodeHeader(bytes: Uint8Array, dataBytes: number): SafetensorsHeader {
  const json = parseJson(bytes);
  const { __metadata__: metadata = {}, ...entries } = asObject(json, 'the header');
  const tensors = Object.entries(entries).map(([name, entry]) => parseEntry(name, entry));
  assertCovers(tensors, dataBytes);
  return { tensors, metadata: parseMetadata(metadata) };
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes[0] !== '{'.charCodeAt(0)) {
    throw new HeaderError("the header does not start with '{'");
  }
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    json = JSON.parse(text);
  } catch (error) {
    throw new HeaderError(`the header is not valid JSON (${(error as Error).message})`);
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) {
    throw new HeaderError(`the key '${duplicate}' appears twice in the header`);
  }
  return json;
}

/** JSON.parse silently keeps the last of two equal keys. `text` must be valid JSON. */
function findDuplicateKey(text: string): string | undefined {
  const objects: Set<string>[] = [];
  const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}]/g;
  for (const [token, colon] of text.matchAll(tokens)) {
    if (token === '{') {
      objects.push(new Set());
    } else if (token === '}') {
      objects.pop();
    } else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, -colon.length)) as string;
      const keys = objects.at(-1)!;
      if (keys.has(key)) {
        return key;
      }
      keys.add(key);
    }
  }
  return undefined;
}

function parseEntry(name: string, value: unknown): TensorEntry {
  const entry = asObject(value, `the entry '${name}'`);
  const dtype = DTYPE_OF.get(String(entry.dtype));
  if (dtype === undefined) {
    throw new HeaderError(`'${name}' has the unknown dtype ${JSON.stringify(entry.dtype)}`);
  }
  const shape = asSizes(entry.shape, `the shape of '${name}'`);
  const offsets = asSizes(entry.data_offsets, `data_offsets of '${name}'`);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2 || begin > end) {
    throw new HeaderError(`data_offsets of '${name}' are [${offsets}], not a beginning and an end`);
  }
  const bytes = shape.reduce((product, size) => product * size, itemBytes(dtype));
  if (bytes !== end - begin) {
    throw new HeaderError(`'${name}' of shape [${shape}] and dtype ${dtype} does not fill its ${end - begin} bytes`);
  }
  return { name, dtype, shape, begin, end };
}

function parseMetadata(value: unknown): Record<string, string> {
  const metadata = asObject(value, '__metadata__');
  for (const [key, text] of Object.entries(metadata)) {
    if (typeof text !== 'string') {
      throw new HeaderError(`'${key}' in __metadata__ is not a string`);
    }
  }
  return metadata as Record<string, string>;
}

function assertCovers(tensors: readonly TensorEntry[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of tensors.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      const what = begin < covered ? 'overlaps the tensor before it' : `leaves a hole before it`;
      throw new HeaderError(`'${name}' ${what} (begins at byte ${begin}, expected ${covered})`);
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    const what = covered > dataBytes ? 'is truncated' : 'has bytes that belong to no tensor';
    throw new HeaderError(`the file ${what} (tensors end at byte ${covered}, data at ${dataBytes})`);
  }
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HeaderError(`${what} is not a JSON object`);
  }
  return value as Record<string, unknown>;
}

function asSizes(value: unknown, what: string): number[] {
  if (!Array.isArray(value) || !value.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new HeaderError(`${what} is not a list of whole numbers`);
  }
  return value as number[];
}
