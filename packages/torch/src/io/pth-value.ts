import { Tensor } from '../tensor.js';
import { FormatError } from './format-error.js';
import { NumpyArray, NumpyDtype } from './numpy-pickle.js';
import { isPythonObject, PythonGlobal, type PythonObject } from './pickle-values.js';
import { Storage } from './torch-pickle.js';

/**
 * What a checkpoint holds. Python's dictionaries are Maps, lists and tuples arrays, sets Sets, bytes Uint8Arrays, None
 * null, integers beyond 2^53 bigints; `torch.Size` is an array, a dtype or device its name; NumPy's arrays are tensors
 * and its numbers numbers. Anything else is a {@link PythonObject}: inert data that names its class.
 */
export type PthValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Tensor
  | PthValue[]
  | Set<PthValue>
  | Map<PthValue, PthValue>
  | PythonObject<PthValue>;

/** A part of a checkpoint that was left out, or read as inert data only. */
export interface Skipped {
  /** Where it lies, such as `args` or `optimizer.state[0].history`. */
  path: string;
  /** Its class, such as `argparse.Namespace`, or what it is where it is plain data, such as `a number`. */
  kind: string;
}

/** What is nested deeper has been made to exhaust the stack of whoever walks it. */
const MOST_DEPTH = 200;

/**
 * Turns what was unpickled into a value of the caller's, and lists the outermost foreign objects in it. Containers that
 * are shared, or contain themselves, stay so.
 *
 * @throws FormatError when it is nested more than 200 deep
 */
export function toPthValue(raw: unknown): { value: PthValue; skipped: Skipped[] } {
  const conversion = new Conversion();
  return { value: conversion.convert(raw, { path: '', depth: 0, inForeign: false }), skipped: conversion.skipped };
}

interface Place {
  path: string;
  depth: number;
  /** Inside of a foreign object, what is foreign too is not reported again. */
  inForeign: boolean;
}

class Conversion {
  readonly skipped: Skipped[] = [];
  readonly #done = new Map<object, PthValue>();

  convert(raw: unknown, place: Place): PthValue {
    if (raw === null || (typeof raw !== 'object' && typeof raw !== 'symbol')) return raw as PthValue;
    const known = this.#done.get(raw as object);
    if (known !== undefined) return known;
    if (place.depth > MOST_DEPTH) throw new FormatError(`it is nested more than ${MOST_DEPTH} deep at '${place.path}'`);
    return this.#convertObject(raw as object, place);
  }

  #convertObject(raw: object, place: Place): PthValue {
    if (raw instanceof Tensor || raw instanceof Uint8Array) return raw;
    if (raw instanceof NumpyArray) return this.#remember(raw, this.convert(raw.value(), place));
    if (raw instanceof NumpyDtype) return raw.description;
    if (raw instanceof PythonGlobal) return this.#foreign(raw, { className: raw.name, args: [] }, place);
    if (raw instanceof Storage) return this.#foreign(raw, { className: raw.typeName, args: [] }, place);
    if (isPythonObject(raw)) return this.#foreign(raw, raw, place);
    if (Array.isArray(raw)) return this.#list(raw, place);
    if (raw instanceof Set) return this.#set(raw, place);
    if (raw instanceof Map) return this.#dictionary(raw, place);
    throw new FormatError(`it holds a value of an unexpected kind at '${place.path}'`);
  }

  #remember<V extends PthValue>(raw: object, value: V): V {
    this.#done.set(raw, value);
    return value;
  }

  #list(raw: readonly unknown[], place: Place): PthValue[] {
    const value = this.#remember<PthValue[]>(raw, []);
    raw.forEach((item, i) => {
      value.push(this.convert(item, inside(place, i)));
    });
    return value;
  }

  #set(raw: ReadonlySet<unknown>, place: Place): Set<PthValue> {
    const value = this.#remember(raw, new Set<PthValue>());
    for (const item of raw) value.add(this.convert(item, inside(place, value.size)));
    return value;
  }

  #dictionary(raw: ReadonlyMap<unknown, unknown>, place: Place): Map<PthValue, PthValue> {
    const value = this.#remember(raw, new Map<PthValue, PthValue>());
    for (const [key, item] of raw) {
      const name = typeof key === 'string' || typeof key === 'number' ? key : '?';
      value.set(this.convert(key, inside(place, name)), this.convert(item, inside(place, name)));
    }
    return value;
  }

  #foreign(raw: object, { className, args, state, elements, entries }: PythonObject<unknown>, place: Place) {
    const value = this.#remember<PythonObject<PthValue>>(raw, { className, args: [] });
    if (!place.inForeign) this.skipped.push({ path: place.path, kind: className });
    const within = { ...place, depth: place.depth + 1, inForeign: true };
    value.args = this.convert(args, within) as PthValue[];
    if (state !== undefined) value.state = this.convert(state, within);
    if (elements !== undefined) value.elements = this.#list(elements, within);
    if (entries !== undefined) value.entries = this.#dictionary(entries, within);
    return value;
  }
}

function inside({ path, depth, inForeign }: Place, key: string | number): Place {
  const name = typeof key === 'number' ? `[${key}]` : path === '' ? key : `.${key}`;
  return { path: path + name, depth: depth + 1, inForeign };
}
