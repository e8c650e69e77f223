import { cat, type Tensor } from '@chronotope/torch';
import { type Mixer, mixAlong, type TokenGrid } from './attention.js';

/**
 * How the tokens of a clip attend to each other:
 *
 * - `divided`: over time at each place, then over space in each frame (TimeSformer, ICML 2021; SVT)
 * - `frozen`: the same two in the arrangement of Frozen in Time (ICCV 2021)
 * - `joint`: all tokens of all frames at once
 * - `space-only`: the frames see nothing of each other; their tokens are averaged at the end
 */
export const SPACE_TIME_ATTENTION = ['divided', 'frozen', 'joint', 'space-only'] as const;
export type SpaceTimeAttention = (typeof SPACE_TIME_ATTENTION)[number];

/** The parts of a transformer block, each with its norm and without the sum; tokens `[N, L, D]` to `[N, L, D]`. */
export interface BlockBranches {
  attendSpace(x: Tensor, mix?: Mixer): Tensor;
  feedForward(x: Tensor): Tensor;
}

/** {@link BlockBranches} of a block that looks along time too. */
export interface SpaceTimeBranches extends BlockBranches {
  attendTime(x: Tensor, mix?: Mixer): Tensor;
}

/** A block in which all tokens that are given attend to each other, `[N, L, D]`. Call it inside a scope. */
export function plainBlock(block: BlockBranches, x: Tensor): Tensor {
  return fedForward(block, x.add(block.attendSpace(x)));
}

/**
 * A block of Frozen in Time. Its sum starts from x, not from x + time: that and the class token, which looks at all
 * frames at once, are what differs from {@link dividedBlock}. Call it inside a scope.
 *
 * @param x `[N, 1 + T · P, D]`: class token, patches of the first frame, of the second, …
 */
export function frozenBlock(block: SpaceTimeBranches, x: Tensor, grid: TokenGrid): Tensor {
  const inTime = x.add(block.attendTime(x, mixAlong('time', grid)));
  return fedForward(block, x.add(block.attendSpace(inTime, mixAlong('space', grid))));
}

/**
 * A block of TimeSformer and SVT: each place attends over time, without the class token; then each frame over space, with
 * a copy of the class token, which takes the mean of what its copies see. Call it inside a scope.
 *
 * @param x `[N, 1 + T · P, D]`: class token, patches of the first frame, of the second, …
 */
export function dividedBlock(block: SpaceTimeBranches, x: Tensor, grid: TokenGrid): Tensor {
  return fedForward(block, dividedAttention(block, x, grid));
}

function fedForward(block: BlockBranches, x: Tensor): Tensor {
  return x.add(block.feedForward(x));
}

function dividedAttention(block: SpaceTimeBranches, x: Tensor, { frames, patches }: TokenGrid): Tensor {
  const [n, , width] = x.shape as [number, number, number];
  const classToken = x.narrow(1, 0, 1);
  const before = x.narrow(1, 1, frames * patches).unflatten(1, [frames, patches]);
  const byPlace = before.transpose(1, 2).reshape([n * patches, frames, width]);
  const overTime = block.attendTime(byPlace).reshape([n, patches, frames, width]).transpose(1, 2);
  const inTime = before.add(overTime);

  const copies = classToken.unsqueeze(1).expand([n, frames, 1, width]);
  const byFrame = cat([copies, inTime], { dim: 2 }).reshape([n * frames, 1 + patches, width]);
  const overSpace = block.attendSpace(byFrame).reshape([n, frames, 1 + patches, width]);
  const ofClass = overSpace.select(2, 0).mean(1, { keepdim: true });
  const ofPatches = overSpace.narrow(2, 1, patches);
  return cat([classToken.add(ofClass), inTime.add(ofPatches).flatten({ startDim: 1, endDim: 2 })], { dim: 1 });
}

/** The frames of clips `[N, 3, T, H, W]` as images `[N · T, 3, H, W]`. */
export function framesAsImages(clips: Tensor): Tensor {
  return clips.transpose(1, 2).flatten({ startDim: 0, endDim: 1 });
}

/**
 * The tokens of independent frames `[N, T, 1 + P, D]` as those of clips `[N, 1 + T · P, D]`, whose class token is the
 * mean of the frames'.
 */
export function withMeanClassToken(frames: Tensor): Tensor {
  const classToken = frames.select(2, 0).mean(1, { keepdim: true });
  const patches = frames.narrow(2, 1, frames.shape[2]! - 1).flatten({ startDim: 1, endDim: 2 });
  return cat([classToken, patches], { dim: 1 });
}
