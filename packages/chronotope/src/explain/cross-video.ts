import { nn, scope, type Tensor, tensor } from '@chronotope/torch';
import { meanOf } from '../evaluation/bootstrap.js';

/** Frames of several videos, in one order everywhere. */
export interface FrameSet {
  /** Number of the video of each frame. */
  videos: readonly number[];
  /** Class of each frame. */
  labels: readonly number[];
}

/** For each frame the most similar frames of *other* videos, best first. */
export interface CrossVideoNeighbours {
  /** `[F][k]` */
  frames: number[][];
  /** `[F][k]` cosines. */
  similarities: number[][];
}

/**
 * Finds them by cosine.
 *
 * @param features `[F, D]`
 */
export function crossVideoNeighbours(features: Tensor, videos: readonly number[], k: number): CrossVideoNeighbours {
  return scope(() => {
    const unit = nn.functional.normalize(features, { dim: 1 });
    const number = tensor(BigInt64Array.from(videos, BigInt));
    const sameVideo = number.unsqueeze(1).eq(number.unsqueeze(0));
    const similarities = unit.matmul(unit.transpose(0, 1)).maskedFill(sameVideo, Number.NEGATIVE_INFINITY);
    const others = videos.length - Math.max(...countsOf(videos).values());
    const [values, indices] = similarities.topk(Math.min(k, others), { dim: 1 });
    return { frames: indices.toArray() as number[][], similarities: values.toArray() as number[][] };
  });
}

/** How well neighbours in other videos keep to the class. */
export interface CategoryScore {
  /** Share of the k nearest frames of other videos with the frame's class, for each k. */
  purity: { k: number; share: number }[];
  /** Share of frames whose nearest frame in another video looks different, and of these the share with the same class. */
  unlike: { frames: number; sameClass: number };
  /** Share of all pairs of frames of different videos with the same class: what chance gives. */
  chance: number;
}

/**
 * How often a neighbour in another video shows the same category, and whether it does so where the pictures themselves
 * differ: further apart in {@link appearance} than half of all pairs of frames of different videos. Same-instance matches cannot help here,
 * and matches by colour and layout only help in the first part.
 *
 * @param looks `[F, A]` of {@link appearance}
 */
export function categoryScore(
  { frames }: CrossVideoNeighbours,
  looks: Tensor,
  { videos, labels }: FrameSet,
  ks: readonly number[],
): CategoryScore {
  const same = (a: number, b: number): boolean => labels[a] === labels[b];
  const shareOf = (k: number): number =>
    meanOf(frames.map((near, frame) => meanOf(near.slice(0, k).map((one) => (same(frame, one) ? 1 : 0)))));
  const distances = distancesOf(looks);
  const pairs = videos.flatMap((video, a) =>
    videos.flatMap((other, b) => (b > a && other !== video ? [{ a, b, distance: distances[a]![b]! }] : [])),
  );
  const sorted = pairs.map(({ distance }) => distance).sort((a, b) => a - b);
  const typical = sorted[Math.floor(sorted.length / 2)]!;
  const unlike = [...frames.keys()].filter((frame) => distances[frame]![frames[frame]![0]!]! > typical);
  return {
    purity: ks.filter((k) => k <= frames[0]!.length).map((k) => ({ k, share: shareOf(k) })),
    unlike: {
      frames: unlike.length / frames.length,
      sameClass: meanOf(unlike.map((frame) => (same(frame, frames[frame]![0]!) ? 1 : 0))),
    },
    chance: meanOf(pairs.map(({ a, b }) => (same(a, b) ? 1 : 0))),
  };
}

/**
 * What a picture looks like at first sight: its colours in a grid of 4 x 4.
 *
 * @param images `[F, 3, S, S]`
 * @returns `[F, 48]`
 */
export function appearance(images: Tensor): Tensor {
  return scope(() => {
    const [count, , side] = images.shape as [number, number, number];
    const cell = Math.floor(side / 4);
    const cut = images.narrow(2, 0, 4 * cell).narrow(3, 0, 4 * cell);
    return cut.reshape([count, 3, 4, cell, 4, cell]).mean([3, 5]).reshape([count, -1]);
  });
}

function distancesOf(looks: Tensor): number[][] {
  return scope(() => {
    const difference = looks.unsqueeze(1).sub(looks.unsqueeze(0));
    return difference.square().sum(2).sqrt().toArray() as number[][];
  });
}

function countsOf(videos: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const video of videos) counts.set(video, (counts.get(video) ?? 0) + 1);
  return counts;
}
