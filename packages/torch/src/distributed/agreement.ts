import { empty, tensor } from '../creation.js';
import { TorchError } from '../errors.js';
import { scope, TensorHandle } from '../scope.js';
import { group } from './process-group.js';

/** Room for what a rank is about to do, such as `all-gather of float32 [8, 128]`; longer descriptions are cut. */
const BYTES = 128;

/**
 * Compares what all ranks are about to do. Gloo aborts the process when tensors differ in size, or mixes up collectives,
 * and the usual causes are harmless mistakes such as a smaller last batch; so the ranks exchange a short description
 * first. NCCL's collectives are not checked: they would have to wait for the GPU.
 *
 * @throws TorchError `distributed` on every rank, naming the first one that does something else
 */
export function refuseDisagreement(description: string): void {
  const { addon, device, rank, size } = group();
  if (device !== 'cpu') return;
  const descriptions = scope(() => {
    const own = new Uint8Array(BYTES);
    new TextEncoder().encodeInto(description, own);
    const all = empty([size, BYTES], { dtype: 'uint8' });
    addon.waitForWork(addon.startAllGather(TensorHandle.of(all), TensorHandle.of(tensor(own))));
    const bytes = all.data() as Uint8Array;
    return Array.from({ length: size }, (_, i) => readDescription(bytes.subarray(i * BYTES, (i + 1) * BYTES)));
  });
  const other = descriptions.findIndex((text) => text !== descriptions[0]);
  if (other < 0) return;
  throw new TorchError(
    `rank ${rank} of ${size}: the ranks disagree: rank 0 calls ${descriptions[0]}, rank ${other} ${descriptions[other]}`,
    {
      code: 'distributed',
      hint: 'all ranks must call the same collectives in the same order with tensors of the same shape and dtype; drop the last incomplete batch',
    },
  );
}

function readDescription(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}
