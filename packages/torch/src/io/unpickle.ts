import type { ByteReader } from './byte-reader.js';
import { FormatError } from './format-error.js';
import { isPythonObject, isStateful, type PickleHost, PythonGlobal, type PythonObject } from './pickle-values.js';

/** A number that needs more is no number of a checkpoint. */
const MOST_INTEGER_BYTES = 256;
const MOST_TEXT_BYTES = 2 ** 26;
/** A pickle of a few bytes an operation can ask for much memory; tensors are not pickled, so real ones stay far below. */
const MOST_OPERATIONS = 20_000_000;

const MARK = Symbol('mark');

/**
 * Reads one pickle (protocols 2 to 5) as data: a stack machine that makes containers, numbers and strings, and asks
 * `host` for everything that has a name. No code is looked up or run; a class that the host does not know becomes a
 * {@link PythonObject}.
 *
 * Dictionaries become Maps, lists and tuples arrays, sets Sets, bytes Uint8Arrays, integers beyond 2^53 bigints.
 *
 * @throws FormatError when the pickle is malformed or uses what a checkpoint does not need
 */
export function unpickle(reader: ByteReader, host: PickleHost): unknown {
  return new Unpickler(reader, host).run();
}

class Unpickler {
  readonly #reader: ByteReader;
  readonly #host: PickleHost;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(reader: ByteReader, host: PickleHost) {
    this.#reader = reader;
    this.#host = host;
  }

  run(): unknown {
    for (let operations = 0; operations < MOST_OPERATIONS; operations++) {
      const at = this.#reader.position;
      const code = this.#reader.take(1)[0]!;
      if (code === STOP) return this.#pop();
      const operation = OPERATIONS.get(code);
      if (operation === undefined) {
        throw new FormatError(`the pickle has the unknown operation 0x${code.toString(16)} at byte ${at}`);
      }
      operation(this, this.#reader);
    }
    throw new FormatError(`the pickle has more than ${MOST_OPERATIONS} operations`);
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  #pop(): unknown {
    if (this.#stack.length === 0) throw new FormatError('the pickle takes more values than it has made');
    const value = this.#stack.pop();
    if (value === MARK) throw new FormatError('the pickle takes a mark for a value');
    return value;
  }

  mark(): void {
    this.#stack.push(MARK);
  }

  /** Everything above the last mark. */
  popToMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw new FormatError('the pickle lacks a mark');
    const values = this.#stack.splice(mark);
    values.shift();
    return values;
  }

  popValues(count: number): unknown[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  discard(): void {
    if (this.#stack.pop() === undefined) throw new FormatError('the pickle takes more values than it has made');
  }

  top(): unknown {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw new FormatError('the pickle takes more values than it has made');
    return value;
  }

  remember(index: number = this.#memo.size): void {
    this.#memo.set(index, this.top());
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw new FormatError(`the pickle refers to the value ${index}, which it did not make`);
    this.#stack.push(this.#memo.get(index));
  }

  pushGlobal(module: unknown, name: unknown): void {
    const full = `${asText(module)}.${asText(name)}`;
    this.#stack.push(this.#host.constant(full) ?? new PythonGlobal(full));
  }

  /** Calls a class or function: the host knows what it gives, or it becomes an object that holds its arguments. */
  call(): void {
    const [callable, args] = this.popValues(2);
    if (!Array.isArray(args)) throw new FormatError('the pickle calls something with what is no tuple');
    if (callable instanceof PythonGlobal) {
      this.push(this.#host.call(callable.name, args) ?? foreign(callable.name, args));
    } else if (isPythonObject(callable)) {
      this.push(foreign(callable.className, args));
    } else {
      throw new FormatError('the pickle calls a value that is no class or function');
    }
  }

  /** Gives the object at the top its state. Attributes of plain values (such as an OrderedDict's) are passed over. */
  build(): void {
    const state = this.#pop();
    const object = this.top();
    if (isStateful(object)) object.setState(state);
    else if (isPythonObject(object)) object.state = state;
  }

  append(values: readonly unknown[]): void {
    const target = this.top();
    if (isPythonObject(target)) {
      target.elements ??= [];
      for (const value of values) target.elements.push(value);
    } else if (Array.isArray(target)) {
      for (const value of values) target.push(value);
    } else if (target instanceof Set) {
      for (const value of values) target.add(value);
    } else {
      throw new FormatError('the pickle appends to what is no list or set');
    }
  }

  setItems(values: readonly unknown[]): void {
    const target = this.top();
    if (isPythonObject(target)) target.entries ??= new Map();
    const entries = isPythonObject(target) ? target.entries : target;
    if (!(entries instanceof Map) || values.length % 2 !== 0) {
      throw new FormatError('the pickle sets items of what is no dictionary');
    }
    for (let i = 0; i < values.length; i += 2) entries.set(values[i], values[i + 1]);
  }

  load(): void {
    this.push(this.#host.load(this.#pop()));
  }
}

function foreign(className: string, args: unknown[]): PythonObject<unknown> {
  return { className, args };
}

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new FormatError('the pickle names a class by what is no string');
  return value;
}

function length64(reader: ByteReader): number {
  const length = reader.take(8).readBigUInt64LE();
  if (length > BigInt(reader.remaining))
    throw new FormatError(`the pickle states a length of ${length} beyond its end`);
  return Number(length);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function text(bytes: Buffer): string {
  if (bytes.length > MOST_TEXT_BYTES) throw new FormatError(`the pickle has a string of ${bytes.length} bytes`);
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FormatError('the pickle has a string that is not UTF-8');
  }
}

/** A Python 2 string: text or bytes, so every byte becomes one character and none is lost. */
const text2 = (bytes: Buffer) => bytes.toString('latin1');

const copy = (bytes: Buffer) => new Uint8Array(bytes);

/** A little-endian two's complement integer of any length. */
function integer(reader: ByteReader, length: number): number | bigint {
  if (length > MOST_INTEGER_BYTES) throw new FormatError(`the pickle has an integer of ${length} bytes`);
  if (length === 0) return 0;
  const unsigned = BigInt(`0x${Buffer.from(reader.take(length)).reverse().toString('hex')}`);
  const value = BigInt.asIntN(length * 8, unsigned);
  const narrow = Number(value);
  return Number.isSafeInteger(narrow) ? narrow : value;
}

const byte = (reader: ByteReader) => reader.take(1)[0]!;
const length32 = (reader: ByteReader) => reader.take(4).readUInt32LE();

type Operation = (machine: Unpickler, reader: ByteReader) => void;

const STOP = '.'.charCodeAt(0);
const codeOf = (letter: string) => letter.charCodeAt(0);

/** Operations by their code; names as in Python's pickletools. */
const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  // PROTO
  [
    0x80,
    (_, reader) => {
      const protocol = byte(reader);
      if (protocol < 2 || protocol > 5) throw new FormatError(`the pickle has protocol ${protocol}; 2 to 5 are known`);
    },
  ],
  // FRAME: only says how much may be read ahead
  [0x95, (_, reader) => void length64(reader)],
  // MARK, POP, POP_MARK, DUP
  [codeOf('('), (machine) => machine.mark()],
  [codeOf('0'), (machine) => machine.discard()],
  [codeOf('1'), (machine) => void machine.popToMark()],
  [codeOf('2'), (machine) => machine.push(machine.top())],
  // NONE, NEWTRUE, NEWFALSE
  [codeOf('N'), (machine) => machine.push(null)],
  [0x88, (machine) => machine.push(true)],
  [0x89, (machine) => machine.push(false)],
  // BININT, BININT1, BININT2, LONG1, LONG4, BINFLOAT
  [codeOf('J'), (machine, reader) => machine.push(reader.take(4).readInt32LE())],
  [codeOf('K'), (machine, reader) => machine.push(byte(reader))],
  [codeOf('M'), (machine, reader) => machine.push(reader.take(2).readUInt16LE())],
  [0x8a, (machine, reader) => machine.push(integer(reader, byte(reader)))],
  [0x8b, (machine, reader) => machine.push(integer(reader, length32(reader)))],
  [codeOf('G'), (machine, reader) => machine.push(reader.take(8).readDoubleBE())],
  // SHORT_BINUNICODE, BINUNICODE, BINUNICODE8
  [0x8c, (machine, reader) => machine.push(text(reader.take(byte(reader))))],
  [codeOf('X'), (machine, reader) => machine.push(text(reader.take(length32(reader))))],
  [0x8d, (machine, reader) => machine.push(text(reader.take(length64(reader))))],
  // SHORT_BINSTRING, BINSTRING
  [codeOf('U'), (machine, reader) => machine.push(text2(reader.take(byte(reader))))],
  [codeOf('T'), (machine, reader) => machine.push(text2(reader.take(length32(reader))))],
  // SHORT_BINBYTES, BINBYTES, BINBYTES8, BYTEARRAY8
  [codeOf('C'), (machine, reader) => machine.push(copy(reader.take(byte(reader))))],
  [codeOf('B'), (machine, reader) => machine.push(copy(reader.take(length32(reader))))],
  [0x8e, (machine, reader) => machine.push(copy(reader.take(length64(reader))))],
  [0x96, (machine, reader) => machine.push(copy(reader.take(length64(reader))))],
  // EMPTY_LIST, LIST, APPEND, APPENDS
  [codeOf(']'), (machine) => machine.push([])],
  [codeOf('l'), (machine) => machine.push(machine.popToMark())],
  [codeOf('a'), (machine) => machine.append(machine.popValues(1))],
  [codeOf('e'), (machine) => machine.append(machine.popToMark())],
  // EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3, TUPLE
  [codeOf(')'), (machine) => machine.push([])],
  [0x85, (machine) => machine.push(machine.popValues(1))],
  [0x86, (machine) => machine.push(machine.popValues(2))],
  [0x87, (machine) => machine.push(machine.popValues(3))],
  [codeOf('t'), (machine) => machine.push(machine.popToMark())],
  // EMPTY_DICT, DICT, SETITEM, SETITEMS
  [codeOf('}'), (machine) => machine.push(new Map())],
  [
    codeOf('d'),
    (machine) => {
      const items = machine.popToMark();
      machine.push(new Map());
      machine.setItems(items);
    },
  ],
  [codeOf('s'), (machine) => machine.setItems(machine.popValues(2))],
  [codeOf('u'), (machine) => machine.setItems(machine.popToMark())],
  // EMPTY_SET, FROZENSET, ADDITEMS
  [0x8f, (machine) => machine.push(new Set())],
  [0x91, (machine) => machine.push(new Set(machine.popToMark()))],
  [0x90, (machine) => machine.append(machine.popToMark())],
  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  [codeOf('q'), (machine, reader) => machine.remember(byte(reader))],
  [codeOf('r'), (machine, reader) => machine.remember(length32(reader))],
  [0x94, (machine) => machine.remember()],
  [codeOf('h'), (machine, reader) => machine.recall(byte(reader))],
  [codeOf('j'), (machine, reader) => machine.recall(length32(reader))],
  // GLOBAL, STACK_GLOBAL
  [codeOf('c'), (machine, reader) => machine.pushGlobal(reader.takeLine(), reader.takeLine())],
  [
    0x93,
    (machine) => {
      const [module, name] = machine.popValues(2);
      machine.pushGlobal(module, name);
    },
  ],
  // REDUCE and NEWOBJ: a function or a class, and its arguments
  [codeOf('R'), (machine) => machine.call()],
  [0x81, (machine) => machine.call()],
  // NEWOBJ_EX: keyword arguments too, which only foreign classes have
  [
    0x92,
    (machine) => {
      const [callable, args, keywords] = machine.popValues(3);
      machine.push(callable);
      machine.push(Array.isArray(args) ? [...args, keywords] : args);
      machine.call();
    },
  ],
  // BUILD, BINPERSID
  [codeOf('b'), (machine) => machine.build()],
  [codeOf('Q'), (machine) => machine.load()],
]);
