import { empty, tensor } from '../creation.js';
import { TorchError } from '../errors.js';
import { scope, TensorHandle } from '../scope.js';
import { group } from './process-group.js';

/** Room for what a rank is about to do, such as `all-gather of float32 [8, 128]`; longer descriptions are cut. */
const BYTES = 128;

/**
 * Compares what all ranks are about to do. Gloo aborts the process when tensors differ in size, or mixes up collectives,
 * and the usual causes are harmless mistakes such as a smaller last batch; so the ranks exchange a short description
 * first.
 *
 * @throws TorchError `distributed` on every rank, naming the first one that does something else
 */
export function refuseDisagreement(description: string): void {
  const { addon, rank, size, verifies } = group();
  if (!verifies) return;
  const descriptions = scope(() => {
    const own = new Uint8Array(BYTES);
    new TextEncoder().encodeInto(description, own);
    const all = empty([size, BYTES], { dtype: 'uint8' });
    addon.waitForWork(addon.startAllGather(TensorHandle.of(all), TensorHandle.of(tensor(own))));
    const bytes = Buffer.from(all.data().buffer);
    return Array.from({ length: size }, (_, i) => bytes.toString('utf8', i * BYTES, (i + 1) * BYTES));
  });
  const other = descriptions.findIndex((text) => text !== descriptions[0]);
  if (other < 0) return;
  const [first, second] = [descriptions[0]!, descriptions[other]!].map((text) => text.replace(/\0+$/, ''));
  throw new TorchError(`rank ${rank} of ${size}: the ranks disagree: rank 0 calls ${first}, rank ${other} ${second}`, {
    code: 'distributed',
    hint: 'all ranks must call the same collectives in the same order with tensors of the same shape and dtype; drop the last incomplete batch',
  });
}
