import { cat, type Device, scope, type Tensor, tensor } from '@chronotope/torch';
import { augmentClips } from '../augment/apply.js';
import type { ClipAugmentation } from '../augment/clip-augmentation.js';
import { drawTransform } from '../augment/draw.js';
import { randomStream } from '../random.js';
import type { ClipGroup, ClipReader, StoredVideo } from './clip-reader.js';
import type { PlannedVideo, View, ViewPlan } from './views.js';

/** One clip of a video with every random choice made: what the network gets is a function of this and the pixels. */
export interface DrawnClip {
  /** Which of the plan's views it belongs to. */
  view: View;
  /** Its place in the view, row-major. */
  index: number;
  /** Frames of the video. */
  frames: readonly number[];
  /** Side of the square input in pixels. */
  size: number;
  augmentation: ClipAugmentation;
}

/** One video of a batch. */
export interface DrawnVideo {
  id: string;
  clips: readonly DrawnClip[];
}

/** Names the random numbers of one occurrence of a video: the same names, the same clips. */
export interface DrawKey {
  seed: number;
  epoch: number;
  /** A number of the video's own; see `videoKey`. */
  video: number;
  /** Which of its occurrences in the epoch; see `Place`. Default 0. */
  turn?: number;
}

/** The clips of a video, the plan's choice of frames without the augmentation; `null` where it is too short. */
export function planClips(plan: ViewPlan, video: PlannedVideo, key: DrawKey): ReturnType<ViewPlan['clips']> {
  return plan.clips(video, randomStream(key.seed, inTurn('clips', key), key.epoch, key.video));
}

function inTurn(purpose: string, { turn = 0 }: DrawKey): string {
  return turn === 0 ? purpose : `${purpose}, turn ${turn}`;
}

/**
 * Draws all that is random about a video's views.
 *
 * @param size side of the square input, for views that do not state their own
 * @returns null for a video that is too short
 */
export function drawViews(plan: ViewPlan, video: StoredVideo, size: number, key: DrawKey): DrawnClip[] | null {
  const places = plan.views.flatMap((view) => Array.from({ length: clipsIn(view) }, (_, index) => ({ view, index })));
  const clips = planClips(plan, video, key);
  return (
    clips?.map(({ frames, transform }, clip) => {
      const { view, index } = places[clip]!;
      const side = view.size ?? size;
      const random = randomStream(key.seed, inTurn('augment', key), key.epoch, key.video, clip);
      return { view, index, frames, size: side, augmentation: drawTransform(transform, video, side, random) };
    }) ?? null
  );
}

/**
 * Makes the views of a batch.
 *
 * @param videos the clips of each video, as {@link drawViews} drew them for one plan
 * @returns for each view of the plan float32 [...shape of the view, N, 3, T, S, S] on the device
 */
export function makeViews(reader: ClipReader, videos: readonly DrawnVideo[], device: Device): Record<string, Tensor> {
  const views = [...new Set(videos[0]!.clips.map(({ view }) => view))];
  return scope(() =>
    Object.fromEntries(
      views.map((view) => {
        const wanted = Array.from({ length: clipsIn(view) }, (_, place) =>
          videos.map(({ id, clips }) => ({
            id,
            ...clips.find((clip) => clip.view === view && clip.index === place)!,
          })),
        ).flat();
        const groups = reader.read(wanted);
        const augmented = groups.map(({ positions, frames }) =>
          augmentClips(
            frames.to({ device }),
            positions.map((position) => wanted[position]!.augmentation),
            wanted[0]!.size,
          ),
        );
        const clips = inOrder(groups, augmented);
        return [view.name, clips.view([...view.shape, videos.length, ...clips.shape.slice(1)])];
      }),
    ),
  );
}

function clipsIn({ shape }: View): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** The clips of several groups in the order of the requests. */
function inOrder(groups: readonly ClipGroup[], clips: readonly Tensor[]): Tensor {
  if (clips.length === 1) {
    return clips[0]!;
  }
  const together = cat([...clips]);
  const rows = new BigInt64Array(together.shape[0]!);
  for (const [row, position] of groups.flatMap(({ positions }) => positions).entries()) {
    rows[position] = BigInt(row);
  }
  return together.indexSelect(0, tensor(rows, { device: together.device }));
}
