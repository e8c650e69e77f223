import { noGrad, scope, type Tensor, tensor } from '@chronotope/torch';
import { softNeighbours } from '../../losses/soft-neighbour.js';
import { randomStream } from '../../random.js';
import type { CclModel } from './model.js';

/** One way from a frame to its soft neighbour in other videos, and back. */
export interface Cycle {
  start: number;
  /** The heaviest parts of the neighbour, and their weights. */
  neighbours: { frame: number; weight: number }[];
  /** exp(entropy) of the weights. */
  effectiveNeighbours: number;
  /** The frame of the start's own video that the way back should lead to. */
  target: number;
  /** Where it leads: the frame most similar to the neighbour, among the target and frames of other videos. */
  reached: number;
  /** Place of the target in that ranking, from 1. */
  rank: number;
}

/**
 * Follows the cycles that the loss is about, on given frames instead of queues: candidates are the frames of a random half
 * of the other videos, negatives those of the other half.
 *
 * @param images `[F, 3, S, S]`
 * @param videos number of the video of each frame
 * @param starts frames to start from; each video has a second frame
 */
export function traceCycles(
  model: CclModel,
  images: Tensor,
  videos: readonly number[],
  starts: readonly number[],
  { temperature, shown = 5, seed }: { temperature: number; shown?: number; seed: number },
): Cycle[] {
  return scope(() =>
    noGrad(() => {
      model.eval();
      const [queries, keys] = [model.query.call(images).cycle, model.key.call(images).cycle];
      const all = [...new Set(videos)];
      return starts.map((start) => {
        const own = videos[start]!;
        const target = videos.findIndex((video, frame) => video === own && frame !== start);
        const order = randomStream(seed, 'cycles', start).permutation(all.length);
        const half = new Set(order.slice(0, Math.ceil(order.length / 2)).map((place) => all[place]!));
        const others = [...videos.keys()].filter((frame) => videos[frame] !== own);
        const candidates = others.filter((frame) => half.has(videos[frame]!));
        const negatives = others.filter((frame) => !half.has(videos[frame]!));
        const { neighbours, weights } = softNeighbours(rows(queries, [start]), rows(keys, candidates).transpose(0, 1), {
          temperature,
        });
        const shares = weights.data() as Float32Array;
        const heaviest = [...shares.keys()].sort((a, b) => shares[b]! - shares[a]!).slice(0, shown);
        const ways = [target, ...negatives];
        const back = rows(keys, ways).matmul(neighbours.transpose(0, 1)).data() as Float32Array;
        return {
          start,
          neighbours: heaviest.map((place) => ({ frame: candidates[place]!, weight: shares[place]! })),
          effectiveNeighbours: Math.exp(-shares.reduce((sum, one) => sum + (one > 0 ? one * Math.log(one) : 0), 0)),
          target,
          reached: ways[back.indexOf(Math.max(...back))]!,
          rank: 1 + back.filter((one) => one > back[0]!).length,
        };
      });
    }),
  );
}

function rows(features: Tensor, frames: readonly number[]): Tensor {
  return features.indexSelect(0, tensor(BigInt64Array.from(frames, BigInt), { device: features.device }));
}
