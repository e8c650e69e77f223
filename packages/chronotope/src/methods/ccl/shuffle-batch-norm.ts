import { distributed, type Tensor, tensor } from '@chronotope/torch';

/**
 * Shuffling BN (MoCo, section 3.3): runs a network on the images of all ranks dealt out anew, so that its batch
 * statistics say nothing of which images belong together, and puts the results back in order. With one rank all images
 * share their statistics in any order, so nothing is shuffled.
 *
 * @param images `[B, …]` of this rank; all ranks have as many
 * @param order a permutation of the B · ranks images of all ranks, the same on every rank
 * @param encode `[B, …]` to tensors `[B, C]`, without gradient
 * @returns what `encode` gives this rank's own images
 */
export function withShuffledBatches<Outputs extends Record<string, Tensor>>(
  images: Tensor,
  order: readonly number[],
  encode: (images: Tensor) => Outputs,
): Outputs {
  const [rank, ranks, count] = [distributed.rank(), distributed.worldSize(), images.shape[0]!];
  if (ranks === 1) return encode(images);
  const share = (indices: readonly number[]) =>
    tensor(BigInt64Array.from(indices.slice(rank * count, (rank + 1) * count), BigInt), { device: images.device });
  const encoded = encode(distributed.allGather(images).indexSelect(0, share(order)));
  const back = share(inverse(order));
  const restored = Object.entries(encoded).map(([name, output]) => [
    name,
    distributed.allGather(output).indexSelect(0, back),
  ]);
  return Object.fromEntries(restored) as Outputs;
}

/** Where each index went. */
function inverse(order: readonly number[]): number[] {
  const places = new Array<number>(order.length);
  for (const [place, index] of order.entries()) places[index] = place;
  return places;
}
