import Table from 'cli-table3';
import type { WeightsDescription } from '../models/weights/describe-weights.js';

/** What a file of weights is, in a few lines. */
export function weightsSummary({ file, wrapper, weights, numbers, network, skipped }: WeightsDescription): string {
  const lines = [
    `${file}: ${weights.length} weights, ${numbers.toLocaleString('en')} numbers`,
    network === null ? '  of no network that is known here' : `  of ${network.name}, ${network.format} format`,
    ...(wrapper === '' ? [] : [`  every key begins with "${wrapper}"`]),
    ...skipped.map(({ path, kind }) => `  beside them: ${path} (${kind})`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Every weight with its shape. */
export function weightsTable({ weights }: WeightsDescription): string {
  const table = new Table({ head: ['key', 'shape', 'type'], style: { head: [], border: [], compact: true } });
  for (const { key, shape, dtype } of weights) table.push([key, `[${shape.join(', ')}]`, dtype]);
  return `${table}\n`;
}
