import { crc32 } from 'node:zlib';
import { type nn, scope, type Tensor, tensor } from '@chronotope/torch';

/**
 * Numbers in [-1, 1) that depend on a tensor's name and a salt only: golden files define the weights of large networks
 * by this rule instead of storing them.
 */
export function hashNumbers(name: string, salt: number, count: number): Float64Array {
  const start = (crc32(name) + 0x9e3779b9 * salt) % 2 ** 32;
  const numbers = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    let x = (start + k) | 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    x ^= x >>> 16;
    numbers[k] = (x >>> 8) / 2 ** 23 - 1;
  }
  return numbers;
}

/** A float32 tensor of offset + scale * u, u by {@link hashNumbers}. */
export function hashTensor(
  name: string,
  salt: number,
  shape: readonly number[],
  { offset = 0, scale = 1 }: { offset?: number; scale?: number } = {},
): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const numbers = hashNumbers(name, salt, count);
  for (let k = 0; k < count; k++) {
    numbers[k] = offset + scale * numbers[k]!;
  }
  return tensor(new Float32Array(numbers), { shape });
}

/** A network's input: values in [0, 1). */
export function hashInput(name: string, salt: number, shape: readonly number[]): Tensor {
  return hashTensor(name, salt, shape, { offset: 0.5, scale: 0.5 });
}

/**
 * Fills a module's parameters and buffers by the rule.
 *
 * @param officialKey the key in the official state dict that a key of the module stands for (default: the same)
 */
export function hashFill(module: nn.Module, salt: number, officialKey = (key: string) => key): void {
  scope(() => {
    const state = new Map<string, Tensor>();
    for (const [key, { shape }] of module.stateDict()) {
      const name = officialKey(key);
      state.set(
        key,
        name.endsWith('num_batches_tracked') ? tensor(0) : hashTensor(name, salt, shape, range(name, shape)),
      );
    }
    module.loadStateDict(state);
  });
}

function range(name: string, shape: readonly number[]): { offset?: number; scale: number } {
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
  if (name.endsWith('running_mean')) return { scale: 0.1 };
  if (name.endsWith('running_var')) return { offset: 1, scale: 0.2 };
  if (shape.length > 2) return { scale: Math.sqrt(6 / fanIn) };
  if (shape.length === 2) return { scale: Math.sqrt(3 / fanIn) };
  return name.endsWith('.weight') ? { offset: 1, scale: 0.2 } : { scale: 0.1 };
}
