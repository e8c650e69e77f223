import type { Tensor } from '@chronotope/torch';

/**
 * Weights that expect BGR frames from weights that expect RGB frames, or the other way round: the input channels of the
 * first convolution in reverse order.
 *
 * @param state keys to weights; the first convolution is the first weight `[out, 3, ...kernel]`
 */
export function reverseChannels(state: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const first = [...state].find(([, { ndim, shape }]) => ndim >= 4 && shape[1] === 3);
  const reversed = new Map(state);
  if (first !== undefined) reversed.set(first[0], first[1].flip([1]));
  return reversed;
}
