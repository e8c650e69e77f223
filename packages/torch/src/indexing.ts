/** Indexing as in Python; the functions behind {@link Tensor.at} and {@link Tensor.setAt}. */
import { tensor } from './creation.js';
import { TorchError } from './errors.js';
import * as operators from './generated/operators.js';
import { Operator } from './operator.js';
import { scope } from './scope.js';
import { Tensor } from './tensor.js';

type Bound = number | '';

/** `start:end` or `start:end:step` as in Python: `'1:3'`, `':-1'`, `'::2'`, or `` `${from}:${to}` ``. */
export type Slice = `${Bound}:${Bound}` | `${Bound}:${Bound}:${Bound}`;

/**
 * What may stand between the brackets of Python's `x[...]`:
 *
 * - an integer takes one place of a dimension, which goes away; negative ones count from the end;
 * - a slice takes a range of a dimension; its step must be positive;
 * - `null` makes a new dimension of size 1;
 * - `'...'` stands for as many `':'` as are needed, and may be left out at the end;
 * - a tensor or list of integers takes those places of a dimension; several are broadcast together, and stand where
 *   the first one stood if they are neighbours, at the front if not;
 * - a tensor of bool takes the places where it is true, in as many dimensions as it has itself.
 */
export type Index = number | Slice | '...' | null | Tensor | readonly number[];

/** A view, and for each of its leading dimensions the integers that pick from it, or null. */
interface Selection {
  view: Tensor;
  picks: (Tensor | null)[];
}

const ALIAS = new Operator<Tensor>('aten::alias');
const SLICE = /^(-?\d*):(-?\d*)(?::(-?\d*))?$/;

/** `x[...indices]`. */
export function at(x: Tensor, indices: readonly Index[]): Tensor {
  return scope(() => {
    const { view, picks } = select(x, indices);
    if (picks.some((pick) => pick !== null)) return operators.index(view, picks);
    return view === x ? ALIAS.call(x) : view;
  });
}

/** `x[...indices] = value`. */
export function setAt(x: Tensor, indices: readonly Index[], value: Tensor | number): void {
  scope(() => {
    const { view, picks } = select(x, indices);
    if (picks.some((pick) => pick !== null)) {
      operators.indexPut_(view, picks, asTensor(value, x));
    } else if (typeof value === 'number') {
      operators.fill_(view, value);
    } else {
      operators.copy_(view, value);
    }
  });
}

function select(x: Tensor, indices: readonly Index[]): Selection {
  const selection: Selection = { view: x, picks: [] };
  let dim = 0;
  for (const index of spellOut(x, indices)) {
    dim += apply(selection, index, dim);
  }
  return selection;
}

/** With `'...'` as slices, and lists and masks as tensors of integers. */
function spellOut(x: Tensor, indices: readonly Index[]): (number | Slice | null | Tensor)[] {
  const plain = indices.map((index) => (Array.isArray(index) ? tensor(index, { dtype: 'int64' }) : index)) as Exclude<
    Index,
    readonly number[]
  >[];
  const used = plain.reduce<number>((sum, index) => sum + dimensionsOf(index), 0);
  if (used > x.ndim || plain.filter((index) => index === '...').length > 1) {
    const what = used > x.ndim ? `${used} dimensions are indexed` : "'...' stands twice";
    throw new TorchError(`${what} in a tensor of shape [${x.shape.join(', ')}]`, { code: 'argument' });
  }
  let dim = 0;
  return plain.flatMap<number | Slice | null | Tensor>((index) => {
    const first = dim;
    dim += index === '...' ? x.ndim - used : dimensionsOf(index);
    if (index === '...') return new Array<Slice>(x.ndim - used).fill(':');
    return isMask(index) ? placesOf(index, x.shape.slice(first, dim)) : [index];
  });
}

function dimensionsOf(index: Exclude<Index, readonly number[]>): number {
  if (index === null || index === '...') return 0;
  return isMask(index) ? index.ndim : 1;
}

const isMask = (index: Index): index is Tensor => index instanceof Tensor && index.dtype === 'bool';

/** The integers of a mask, one tensor a dimension. */
function placesOf(mask: Tensor, sizes: readonly number[]): Tensor[] {
  if (mask.ndim === 0 || mask.shape.some((size, i) => size !== sizes[i])) {
    throw new TorchError(
      `a mask of shape [${mask.shape.join(', ')}] indexes dimensions of sizes [${sizes.join(', ')}]`,
      { code: 'argument', hint: 'a mask has the sizes of the dimensions that it indexes, and at least one' },
    );
  }
  const places = operators.nonzero(mask);
  return mask.shape.map((_, i) => places.select(1, i));
}

/** Applies one index at a dimension of the view, and returns how many dimensions of the result it takes. */
function apply(selection: Selection, index: number | Slice | null | Tensor, dim: number): number {
  const { view, picks } = selection;
  if (index === null) {
    selection.view = view.unsqueeze(dim);
  } else if (typeof index === 'number') {
    selection.view = view.select(dim, index);
    return 0;
  } else if (index instanceof Tensor) {
    refuseFloats(index);
    if (index.ndim === 0) {
      selection.view = view.select(dim, index.item());
      return 0;
    }
    while (picks.length < dim) picks.push(null);
    picks.push(index.to({ dtype: 'int64', device: view.device }));
  } else {
    selection.view = slice(view, dim, index);
  }
  return 1;
}

function slice(view: Tensor, dim: number, text: string): Tensor {
  const [matched, start, end, step] = SLICE.exec(text) ?? [];
  if (matched === undefined || step === '0' || step?.startsWith('-')) {
    throw new TorchError(`'${text}' is no slice`, {
      code: 'argument',
      hint: "write 'start:end' or 'start:end:step' with integers, the step positive; reverse with flip()",
    });
  }
  if (matched === ':') return view;
  const bound = (written: string | undefined): number | null => (written ? Number(written) : null);
  return operators.slice(view, { dim, start: bound(start), end: bound(end), step: bound(step) ?? 1 });
}

function refuseFloats(index: Tensor): void {
  if (!/float|complex/.test(index.dtype)) return;
  throw new TorchError(`a ${index.dtype} tensor cannot be an index`, {
    code: 'argument',
    hint: 'indices are integers, or a bool mask such as x.gt(0)',
  });
}

function asTensor(value: Tensor | number, like: Tensor): Tensor {
  return value instanceof Tensor ? value : operators.newFull(like, [], value);
}
