/** What stands for Python's objects while a pickle is read. Nothing of it can run code. */

/** A class or function that a pickle names, such as `torch.FloatStorage`. It is never looked up, only compared. */
export class PythonGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * An object of a class that has no plain equivalent (an `argparse.Namespace`, an optimiser, a whole module): its class
 * and what the pickle says of it, as data. A plain object, so that `scope` finds the tensors in it.
 */
export interface PythonObject<V> {
  /** The class's full name, such as `argparse.Namespace`. */
  readonly className: string;
  /** What its constructor was given. */
  args: V[];
  /** Its attributes: usually a Map of names to values. */
  state?: V;
  /** Elements of a foreign list or set. */
  elements?: V[];
  /** Entries of a foreign dictionary. */
  entries?: Map<V, V>;
}

/** Whether an unpickled value stands for an object of a Python class. */
export function isPythonObject(value: unknown): value is PythonObject<unknown> {
  return typeof value === 'object' && value !== null && 'className' in value;
}

/** Something that is made in two steps, as NumPy's arrays are: constructed, then given its state. */
export interface Stateful {
  setState(state: unknown): void;
}

/** Whether an unpickled value still waits for its state. */
export function isStateful(value: unknown): value is Stateful {
  return typeof value === 'object' && value !== null && 'setState' in value;
}

/** Says what the names in a pickle stand for. */
export interface PickleHost {
  /** What a persistent id stands for: for PyTorch, a storage. */
  load(id: unknown): unknown;
  /** What a name stands for where it is no class or function, such as `torch.float32`; else undefined. */
  constant(name: string): unknown;
  /** What a class or function gives for arguments; undefined where the name is not known. */
  call(name: string, args: unknown[]): unknown;
}
