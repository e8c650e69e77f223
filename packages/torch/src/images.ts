import { Operator } from './operator.js';
import type { Tensor } from './tensor.js';

const RESAMPLE_FRAMES = new Operator('chronotope::resample_frames');
const TURN_HUE = new Operator('chronotope::turn_hue_');

/**
 * Applies to the rows and the columns of every picture of a clip one matrix each: cropping, scaling and mirroring are such
 * matrices, with few values that are not 0. Only those are looked at, and bytes become floats in [0, 1] on the way, so this
 * takes one pass over the pixels. On the CPU only; elsewhere matrix products are fast.
 *
 * @param frames uint8 [N, T, H, W, 3]
 * @param rows float32 [N, height, H]
 * @param columns float32 [N, width, W]
 * @param output float32 [N, 3, T, height, width], contiguous; is overwritten
 * @throws TorchError for other shapes and dtypes
 */
export function resampleFrames(frames: Tensor, rows: Tensor, columns: Tensor, output: Tensor): void {
  RESAMPLE_FRAMES.call(frames, rows, columns, output);
}

/**
 * Turns the hue of R,G,B clips by a fraction of the colour circle each, in place, keeping value and saturation of HSV: one
 * pass over the pixels. On the CPU only.
 *
 * @param clips float32 [N, 3, …], contiguous
 * @param shifts float32, N values
 * @throws TorchError for other shapes and dtypes
 */
export function turnHue(clips: Tensor, shifts: Tensor): void {
  TURN_HUE.call(clips, shifts);
}
