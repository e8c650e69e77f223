import type { DType } from '../tensor.js';
import { countElements } from './dtypes.js';
import { FormatError } from './format-error.js';

/** Where a tensor lies in a safetensors file. Offsets are bytes from the end of the header. */
export interface TensorEntry {
  name: string;
  /** The format's name of the element type, such as `BF16`. */
  type: string;
  /** Undefined where no tensor here has this type, such as `F8_E4M3`. */
  dtype: DType | undefined;
  shape: number[];
  begin: number;
  end: number;
}

/** What the header of a safetensors file lists. */
export interface SafetensorsHeader {
  tensors: TensorEntry[];
  metadata: Record<string, string>;
}

/** Bytes before the header: its length as an unsigned 64-bit little-endian number. */
export const LENGTH_BYTES = 8;
/** The format's own limit; a larger number means the file is not a safetensors file. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The format's element types: how many bits each takes, and the dtype where libtorch's tensors here have it. */
const FORMAT_TYPES: ReadonlyMap<string, { bits: number; dtype?: DType }> = new Map([
  ['F64', { bits: 64, dtype: 'float64' }],
  ['F32', { bits: 32, dtype: 'float32' }],
  ['F16', { bits: 16, dtype: 'float16' }],
  ['BF16', { bits: 16, dtype: 'bfloat16' }],
  ['I64', { bits: 64, dtype: 'int64' }],
  ['I32', { bits: 32, dtype: 'int32' }],
  ['I16', { bits: 16, dtype: 'int16' }],
  ['I8', { bits: 8, dtype: 'int8' }],
  ['U8', { bits: 8, dtype: 'uint8' }],
  ['BOOL', { bits: 8, dtype: 'bool' }],
  ['U64', { bits: 64 }],
  ['U32', { bits: 32 }],
  ['U16', { bits: 16 }],
  ['C64', { bits: 64 }],
  ['F8_E4M3', { bits: 8 }],
  ['F8_E4M3FNUZ', { bits: 8 }],
  ['F8_E5M2', { bits: 8 }],
  ['F8_E5M2FNUZ', { bits: 8 }],
  ['F8_E8M0', { bits: 8 }],
  ['F6_E2M3', { bits: 6 }],
  ['F6_E3M2', { bits: 6 }],
  ['F4', { bits: 4 }],
] as const);
const FORMAT_NAME = new Map([...FORMAT_TYPES].map(([name, { dtype }]) => [dtype, name]));

/** The format's name of a dtype. */
export function formatType(dtype: DType): string {
  return FORMAT_NAME.get(dtype)!;
}

/** The header as bytes, padded with spaces so that the data after it starts at a multiple of 8. */
export function encodeHeader({ tensors, metadata }: SafetensorsHeader): Buffer {
  const entries: [string, unknown][] = tensors.map(({ name, type, shape, begin, end }) => [
    name,
    { dtype: type, shape, data_offsets: [begin, end] },
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
 * @throws FormatError naming the reason
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
    throw new FormatError("the header does not start with '{'");
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    checkStructure(text);
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`the header is not valid JSON (${(error as Error).message})`);
  }
}

/** The header, its entries, and their lists. */
const MOST_DEPTH = 3;
const COLON = /[ \t\n\r]*:/y;

/**
 * Refuses what JSON.parse lets pass: of two equal keys it silently keeps the last, and on a header of nothing but
 * brackets it takes minutes.
 */
function checkStructure(text: string): void {
  const open: Set<string>[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at]!;
    if (character === '"') {
      const end = endOfString(text, at);
      COLON.lastIndex = end;
      if (COLON.test(text)) addKey(open.at(-1), JSON.parse(text.slice(at, end)) as string);
      at = end;
      continue;
    }
    if (character === '{' || character === '[') {
      if (open.push(new Set()) > MOST_DEPTH) throw new FormatError('the header is nested too deep');
    } else if (character === '}' || character === ']') {
      open.pop();
    }
    at += 1;
  }
}

function addKey(keys: Set<string> | undefined, key: string): void {
  if (keys?.has(key)) throw new FormatError(`the key '${key}' appears twice in the header`);
  keys?.add(key);
}

/** Where the string that begins at `start` has ended. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function parseEntry(name: string, value: unknown): TensorEntry {
  const entry = asObject(value, `the entry '${name}'`);
  const type = String(entry.dtype);
  const known = FORMAT_TYPES.get(type);
  if (known === undefined) {
    throw new FormatError(`'${name}' has the unknown dtype ${JSON.stringify(entry.dtype)}`);
  }
  const shape = asSizes(entry.shape, `the shape of '${name}'`);
  const offsets = asSizes(entry.data_offsets, `data_offsets of '${name}'`);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2 || begin > end) {
    throw new FormatError(`data_offsets of '${name}' are [${offsets}], not a beginning and an end`);
  }
  if (countElements(shape, `'${name}'`) * known.bits !== (end - begin) * 8) {
    throw new FormatError(`'${name}' of shape [${shape}] and dtype ${type} does not fill its ${end - begin} bytes`);
  }
  return { name, type, dtype: known.dtype, shape, begin, end };
}

function parseMetadata(value: unknown): Record<string, string> {
  const metadata = asObject(value, '__metadata__');
  for (const [key, text] of Object.entries(metadata)) {
    if (typeof text !== 'string') {
      throw new FormatError(`'${key}' in __metadata__ is not a string`);
    }
  }
  return metadata as Record<string, string>;
}

function assertCovers(tensors: readonly TensorEntry[], dataBytes: number): void {
  let covered = 0;
  for (const { name, begin, end } of tensors.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      const what = begin < covered ? 'overlaps the tensor before it' : `leaves a hole before it`;
      throw new FormatError(`'${name}' ${what} (begins at byte ${begin}, expected ${covered})`);
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    const what = covered > dataBytes ? 'is truncated' : 'has bytes that belong to no tensor';
    throw new FormatError(`the file ${what} (tensors end at byte ${covered}, data at ${dataBytes})`);
  }
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError(`${what} is not a JSON object`);
  }
  return value as Record<string, unknown>;
}

function asSizes(value: unknown, what: string): number[] {
  if (!Array.isArray(value) || !value.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new FormatError(`${what} is not a list of whole numbers`);
  }
  return value as number[];
}
