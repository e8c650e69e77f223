/** Tensors as text, in PyTorch's layout and with its defaults. */
import { noGrad } from './autograd.js';
import { cat } from './generated/operators.js';
import { scope } from './scope.js';
import type { DType, Tensor } from './tensor.js';

const PRECISION = 4;
const LINE_WIDTH = 80;
/** Larger tensors are summarised. */
const THRESHOLD = 1000;
/** Entries shown at either end of a summarised dimension. */
const EDGE = 3;
const PREFIX = 'tensor(';

/** `tensor([[1., 2.], [3., 4.]])` and so on. */
export function formatTensor(x: Tensor): string {
  const body = PREFIX + (x.numel === 0 ? '[]' : formatValues(x));
  return appendSuffixes(body, suffixesOf(x));
}

function suffixesOf(x: Tensor): string[] {
  const suffixes: string[] = [];
  const gradFunction = x.gradFunctionName;
  const isUsualDtype = x.dtype === 'float32' || (x.numel > 0 && (x.dtype === 'int64' || x.dtype === 'bool'));
  if (x.device !== 'cpu') suffixes.push(`device='${x.device}'`);
  if (x.numel === 0 && x.ndim !== 1) suffixes.push(`size=(${x.shape.join(', ')})`);
  if (!isUsualDtype) suffixes.push(`dtype=torch.${x.dtype}`);
  if (gradFunction !== null) suffixes.push(`grad_fn=<${gradFunction}>`);
  else if (x.requiresGrad) suffixes.push('requires_grad=True');
  return suffixes;
}

/** Puts each suffix on the last line where it fits, else on a line of its own. */
function appendSuffixes(body: string, suffixes: readonly string[]): string {
  let text = body;
  let lastLine = body.length - body.lastIndexOf('\n') + 1;
  for (const suffix of suffixes) {
    if (lastLine + suffix.length + 2 > LINE_WIDTH) {
      text += `,\n${' '.repeat(PREFIX.length)}${suffix}`;
      lastLine = PREFIX.length + suffix.length;
    } else {
      text += `, ${suffix}`;
      lastLine += suffix.length + 2;
    }
  }
  return `${text})`;
}

/** What is shown of a tensor: its values (only the edges of a large one) and how they are written. */
interface Shown {
  values: readonly (number | bigint)[];
  shape: readonly number[];
  /** For each dimension, whether its middle was left out. */
  cut: readonly boolean[];
  format: (value: number | bigint) => string;
  width: number;
}

function formatValues(x: Tensor): string {
  const summarise = x.numel > THRESHOLD;
  return scope(() =>
    noGrad(() => {
      const shown = summarise ? edgesOf(x) : x.detach();
      const values = Array.from(shown.data() as ArrayLike<number | bigint>);
      const cut = x.shape.map((size) => summarise && size > 2 * EDGE);
      return formatLevel({ values, shape: shown.shape, cut, ...formatterFor(values, x.dtype) }, 0, 0, PREFIX.length);
    }),
  );
}

function edgesOf(x: Tensor): Tensor {
  return x.shape.reduce(
    (part, size, dim) =>
      size > 2 * EDGE ? cat([part.narrow(dim, 0, EDGE), part.narrow(dim, size - EDGE, EDGE)], { dim }) : part,
    x.detach(),
  );
}

function formatLevel(shown: Shown, dim: number, offset: number, indent: number): string {
  const { shape, cut } = shown;
  if (shape.length === 0) return shown.format(shown.values[0]!);
  if (dim === shape.length - 1) return formatVector(shown, offset, indent);
  const step = shape.slice(dim + 1).reduce((product, size) => product * size, 1);
  const slices = Array.from({ length: shape[dim]! }, (_, i) =>
    formatLevel(shown, dim + 1, offset + i * step, indent + 1),
  );
  if (cut[dim]) slices.splice(EDGE, 0, '...');
  const newLines = '\n'.repeat(shape.length - dim - 1);
  return `[${slices.join(`,${newLines}${' '.repeat(indent + 1)}`)}]`;
}

function formatVector({ values, shape, cut, format, width }: Shown, offset: number, indent: number): string {
  const length = shape.at(-1)!;
  const items = values.slice(offset, offset + length).map((value) => format(value).padStart(width));
  if (cut.at(-1)) items.splice(EDGE, 0, ' ...');
  const perLine = Math.max(1, Math.floor((LINE_WIDTH - indent) / (width + 2)));
  const lines: string[] = [];
  for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(', '));
  return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`;
}

function formatterFor(values: readonly (number | bigint)[], dtype: DType): Pick<Shown, 'format' | 'width'> {
  if (dtype === 'bool') return withWidth(values, (value) => (value ? 'True' : 'False'));
  if (!/float/.test(dtype)) return withWidth(values, String);
  return floatFormatter(values as readonly number[]);
}

/** One notation for all: integers with a point, four decimals, or scientific when the range is wide. */
function floatFormatter(values: readonly number[]): Pick<Shown, 'format' | 'width'> {
  const counted = values.filter((value) => Number.isFinite(value) && value !== 0);
  const sizes = counted.map(Math.abs);
  const least = sizes.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = sizes.reduce((a, b) => Math.max(a, b), 0);
  const integral = counted.every(Number.isInteger);
  const wide = most / least > 1000 || most > 1e8 || (!integral && least < 1e-4);
  let format = (value: number): string => roundedTo(value, 'toFixed');
  if (counted.length > 0 && wide) format = (value) => roundedTo(value, 'toExponential');
  else if (integral) format = (value) => `${Object.is(value, -0) ? '-0' : value.toFixed(0)}.`;
  const written = (value: number | bigint): string => {
    const number = Number(value);
    if (Number.isNaN(number)) return 'nan';
    if (!Number.isFinite(number)) return number > 0 ? 'inf' : '-inf';
    return format(number);
  };
  // Zeros, infinities and NaN do not widen the columns; that is PyTorch's way.
  return withWidth(counted, written);
}

function withWidth(
  values: readonly (number | bigint)[],
  format: (value: number | bigint) => string,
): Pick<Shown, 'format' | 'width'> {
  return { format, width: values.reduce((width: number, value) => Math.max(width, format(value).length), 1) };
}

/** Four decimals with ties to even, as C's printf, where JavaScript rounds ties away from zero. */
function roundedTo(value: number, notation: 'toFixed' | 'toExponential'): string {
  const [mantissa, exponent] = value[notation](PRECISION).split('e');
  const [exact] = value[notation](PRECISION + 26).split('e');
  const isTie = exact!.endsWith(`5${'0'.repeat(25)}`);
  const truncated = exact!.slice(0, -26);
  const digits = isTie && Number(truncated.at(-1)) % 2 === 0 ? truncated : mantissa!;
  const sign = Object.is(value, -0) ? '-' : '';
  return sign + digits + (exponent === undefined ? '' : `e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`);
}
