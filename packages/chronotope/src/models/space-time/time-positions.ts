import { type Tensor, upsampleNearest1d } from '@chronotope/torch';

/**
 * Time embeddings for another number of frames, each frame that of the nearest trained one: entry floor(i · T / frames)
 * (TimeSformer). The same tensor if the number is the same.
 *
 * @param embeddings `[1, T, D]`
 * @returns `[1, frames, D]`
 */
export function resizeTimes(embeddings: Tensor, frames: number): Tensor {
  if (embeddings.shape[1] === frames) return embeddings;
  return upsampleNearest1d(embeddings.transpose(1, 2), [frames]).transpose(1, 2);
}
