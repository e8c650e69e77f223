import { noGrad, scope, type Tensor } from '@chronotope/torch';
import type { Picture } from '@chronotope/video';

/** Clips of a batch by name, as the network gets them: `[V, N, 3, T, H, W]` in [0, 1], V views of each of N videos. */
export type ShownClips = Record<string, Tensor>;

/** Videos and views of a still picture, at most, and clips beside each other in an animation. */
const MOST = { videos: 6, views: 8, clips: 4 };

/** Clips made visible. */
export interface ClipPictures {
  /** The middle frames: a row for each video, a column for each of its views. */
  still: Picture;
  /** Clips beside each other: the views of the first video, then those of the next ones. */
  frames: Picture[];
}

/** @param clips `[V, N, 3, T, H, W]` in [0, 1] */
export function clipPictures(clips: Tensor): ClipPictures {
  return scope(() =>
    noGrad(() => {
      const [views, videos, , times, height, width] = clips.shape as [number, number, number, number, number, number];
      const [columns, rows] = [Math.min(views, MOST.views), Math.min(videos, MOST.videos)];
      const grid = clips
        .narrow(0, 0, columns)
        .narrow(1, 0, rows)
        .select(3, Math.floor(times / 2))
        .permute([1, 3, 0, 4, 2]);
      const beside = Math.min(views * videos, MOST.clips);
      const row = clips
        .transpose(0, 1)
        .flatten({ startDim: 0, endDim: 1 })
        .narrow(0, 0, beside)
        .permute([2, 3, 0, 4, 1]);
      return {
        still: { data: bytesOf(grid), height: rows * height, width: columns * width },
        frames: row.unbind().map((frame) => ({ data: bytesOf(frame), height, width: beside * width })),
      };
    }),
  );
}

/** Values from 0 to 1 as bytes from 0 to 255. */
function bytesOf(values: Tensor): Uint8Array {
  const levels = values.to({ device: 'cpu', dtype: 'float32' }).clamp({ min: 0, max: 1 }).mul(255).round();
  return levels.to({ dtype: 'uint8' }).contiguous().data() as Uint8Array;
}
