import { noGrad, scope, type Tensor, tensor } from '@chronotope/torch';
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  type ColourOperation,
  grayWithGamma,
} from './colour.js';
import type { Box, ClipAugmentation } from './draw.js';
import { resizedCrops } from './resize.js';

/**
 * Applies one drawn augmentation to each clip of a batch, the same to all frames of the clip.
 *
 * @param frames uint8 [N, T, H, W, 3] on any device
 * @param augmentations N of them, drawn for this source size and output size
 * @param size side S of the square output in pixels
 * @returns float32 [N, 3, T, S, S] in [0, 1], on the device of the frames
 */
export function augmentClips(frames: Tensor, augmentations: readonly ClipAugmentation[], size: number): Tensor {
  return noGrad(() =>
    scope(() => {
      // Mirroring commutes with everything before it in the list of effects, so it rides along with the resize.
      const clips = resizedCrops(frames, augmentations, size);
      const each = <Value>(field: (augmentation: ClipAugmentation) => Value): Value[] => augmentations.map(field);
      change(
        clips,
        each((a) => a.earlyContrast),
        adjustContrast,
      );
      change(
        clips,
        each((a) => a.hue),
        adjustHue,
      );
      change(
        clips,
        each((a) => a.saturation),
        adjustSaturation,
      );
      change(
        clips,
        each((a) => a.brightness),
        adjustBrightness,
      );
      change(
        clips,
        each((a) => a.lateContrast),
        adjustContrast,
      );
      change(
        clips,
        each((a) => (a.grayscale ? (a.gamma ?? 1) : null)),
        grayWithGamma,
      );
      maskOut(clips, each(channelMask));
      permuteChannels(
        clips,
        each((a) => a.channelOrder),
      );
      maskOut(
        clips,
        each((a) => erasureMask(a.erased, size)),
      );
      return clips;
    }),
  );
}

/** Runs an operation on the clips that have a strength, and on no others. */
function change(clips: Tensor, strengths: readonly (number | null)[], operation: ColourOperation): void {
  const chosen = strengths.flatMap((strength, clip) => (strength === null ? [] : [clip]));
  if (chosen.length === 0) {
    return;
  }
  scope(() => {
    const { device } = clips;
    const strength = tensor(
      Float32Array.from(chosen, (clip) => strengths[clip]!),
      {
        shape: [chosen.length, 1, 1, 1, 1],
        device,
      },
    );
    onSelection(clips, chosen, (selected) => operation(selected, strength));
  });
}

/** Reorders the channels of the clips that have an order. */
function permuteChannels(clips: Tensor, orders: readonly (readonly number[] | null)[]): void {
  const chosen = orders.flatMap((order, clip) => (order === null ? [] : [clip]));
  if (chosen.length === 0) {
    return;
  }
  scope(() => {
    const [, , length, height, width] = clips.shape as [number, number, number, number, number];
    const order = tensor(BigInt64Array.from(chosen.flatMap((clip) => orders[clip]!.map(BigInt))), {
      shape: [chosen.length, 3, 1, 1, 1],
      device: clips.device,
    });
    onSelection(clips, chosen, (selected) => {
      selected.copy_(selected.gather(1, order.expand([chosen.length, 3, length, height, width])));
    });
  });
}

/** A mask that multiplies a clip: `values` of shape [channels, rows, columns], each 1 or the size of the clip's axis. */
interface Mask {
  shape: [channels: number, rows: number, columns: number];
  values: Float32Array;
}

/** Multiplies the clips that have a mask with it. All masks have one shape. */
function maskOut(clips: Tensor, masks: readonly (Mask | null)[]): void {
  const present = masks.flatMap((mask, clip) => (mask === null ? [] : [{ mask, clip }]));
  if (present.length === 0) {
    return;
  }
  const [channels, rows, columns] = present[0]!.mask.shape;
  const values = new Float32Array(present.length * channels * rows * columns);
  for (const [index, { mask }] of present.entries()) {
    values.set(mask.values, index * mask.values.length);
  }
  scope(() => {
    const mask = tensor(values, { shape: [present.length, channels, 1, rows, columns], device: clips.device });
    onSelection(
      clips,
      present.map(({ clip }) => clip),
      (selected) => void selected.mul_(mask),
    );
  });
}

function channelMask({ droppedChannel }: ClipAugmentation): Mask | null {
  return droppedChannel === null
    ? null
    : { shape: [3, 1, 1], values: Float32Array.from([0, 1, 2], (channel) => (channel === droppedChannel ? 0 : 1)) };
}

function erasureMask(boxes: readonly Box[], size: number): Mask | null {
  if (boxes.length === 0) {
    return null;
  }
  const values = new Float32Array(size * size).fill(1);
  for (const { top, left, height, width } of boxes) {
    for (let row = top; row < Math.min(top + height, size); row++) {
      values.fill(0, row * size + left, row * size + Math.min(left + width, size));
    }
  }
  return { shape: [1, size, size], values };
}

/** Lets `operation` change the chosen clips in place; the cost depends on their number, not on the batch. */
function onSelection(clips: Tensor, chosen: readonly number[], operation: (selected: Tensor) => void): void {
  if (chosen.length === clips.shape[0]) {
    operation(clips);
    return;
  }
  const index = tensor(BigInt64Array.from(chosen, BigInt), { device: clips.device });
  const selected = clips.indexSelect(0, index);
  operation(selected);
  clips.indexCopy_(0, index, selected);
}
