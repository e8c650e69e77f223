import { callOperator, NO_TENSOR } from './call-block.js';
import { withOperator } from './errors.js';
import type { GeneratorHandle } from './generator-handle.js';
import { type Handle, isFromNative, native, type OperatorDescription } from './native.js';
import { TensorHandle } from './scope.js';
import type { Tensor } from './tensor.js';

/** What an operator takes, in the order of its schema; undefined stands for the schema's default. */
export type Argument =
  | Tensor
  | number
  | bigint
  | boolean
  | string
  | GeneratorHandle
  | null
  | undefined
  | readonly (Tensor | null)[]
  | readonly number[]
  | readonly boolean[];

/** What an operator gives back. */
export type Result = Tensor | number | boolean | string | null | undefined | readonly Result[];

/** How many tensors of a list an error message describes. */
const DESCRIBED = 8;

let makeTensor: (handle: Handle) => Tensor;

/** Tells how a handle becomes a Tensor (the Tensor class needs this module, so this module cannot import it). */
export function setTensorFactory(factory: typeof makeTensor): void {
  makeTensor = factory;
}

/** Told of every call of an operator: what `before` gives comes back to `after`, with the tensors that came out. */
export interface RecordingObserver {
  before(): number;
  after(operator: string, results: readonly Tensor[], token: number): void;
}

let observer: RecordingObserver | undefined;

/** The observer of now. */
export function recordingObserver(): RecordingObserver | undefined {
  return observer;
}

/** Sets or takes away the one observer. */
export function setRecordingObserver(next: RecordingObserver | undefined): void {
  observer = next;
}

/**
 * One overload of one of libtorch's operators, looked up when it is first called. `R` states what it returns; an
 * operator that writes into an argument returns that argument.
 */
export class Operator<R = Result> {
  readonly name: string;
  readonly overload: string;
  #description: OperatorDescription | undefined;

  constructor(name: string, overload = '') {
    this.name = name;
    this.overload = overload;
  }

  call(...args: Argument[]): R {
    this.#description ??= native().findOperator(this.name, this.overload);
    const description = this.#description;
    let count = args.length;
    while (count > 0 && args[count - 1] === undefined) count--;
    const observing = observer;
    const token = observing?.before();
    const result = this.#run(description, args, count);
    for (const index of description.written) {
      const written = args[index];
      if (written instanceof TensorHandle) written.forgetShape();
    }
    const wrapped = wrapResults(result, description, args);
    observing?.after(this.name, tensorsAmong(wrapped), token!);
    return wrapped as R;
  }

  #run({ index, results, names }: OperatorDescription, args: readonly Argument[], count: number): unknown {
    try {
      return callOperator(index, results === 'P', args, count);
    } catch (error) {
      if (!isFromNative(error)) throw error;
      const fullName = this.overload ? `${this.name}.${this.overload}` : this.name;
      throw withOperator(error, fullName, describeTensors(args, names));
    }
  }
}

/**
 * Any operator of libtorch by its full name, such as `op('aten::conv3d')` or `op('aten::sum.dim_IntList')`. The
 * function takes the arguments in the order of the schema.
 *
 * @throws TorchError `not-found` at the first call when libtorch has no such operator
 */
export function op(fullName: string): (...args: Argument[]) => Result {
  const dot = fullName.indexOf('.');
  const operator = dot < 0 ? new Operator(fullName) : new Operator(fullName.slice(0, dot), fullName.slice(dot + 1));
  return (...args) => operator.call(...args);
}

/** `input float32 [2, 3]` for every tensor among the arguments; of lists the first few. */
function describeTensors(args: readonly Argument[], names: readonly string[]): string[] {
  return args.flatMap((argument, i) => {
    if (argument instanceof TensorHandle) return [`${names[i]} ${describe(argument)}`];
    if (!Array.isArray(argument)) return [];
    const items = (argument as readonly unknown[]).slice(0, DESCRIBED);
    return items.flatMap((item, k) => (item instanceof TensorHandle ? [`${names[i]}[${k}] ${describe(item)}`] : []));
  });
}

function describe(tensor: TensorHandle): string {
  if (tensor.disposed) return '(disposed)';
  const handle = TensorHandle.of(tensor);
  const device = native().device(handle);
  const where = device === 'cpu' ? '' : ` on ${device}`;
  return `${native().dtype(handle)} [${native().shape(handle).join(', ')}]${where}`;
}

function wrapResults(result: unknown, { results, written }: OperatorDescription, args: readonly Argument[]): unknown {
  if (results === 'P') return result === NO_TENSOR ? null : makeTensor(result as Handle);
  if (results === 'T') return typeof result === 'number' ? makeTensor(result) : null;
  if (results === 'w') return args[written[0]!];
  if (results.length === 1) return wrapResult(result, results);
  if (results.length === 0) return undefined;
  let nextWritten = 0;
  return (result as unknown[]).map((value, i) =>
    results[i] === 'w' ? args[written[nextWritten++]!] : wrapResult(value, results[i]!),
  );
}

const tensorsAmong = (results: unknown): Tensor[] =>
  [results].flat(2).filter((item): item is Tensor => item instanceof TensorHandle);

function wrapResult(value: unknown, kind: string): unknown {
  if (kind === 'T') return typeof value === 'number' ? makeTensor(value) : null;
  if (kind === 'L') return (value as Handle[]).map((handle) => makeTensor(handle));
  return value;
}
