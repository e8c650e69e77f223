import { maximum, minimum, type Tensor, turnHue } from '@chronotope/torch';
import type { Luma } from './settings.js';

// Colour operations on float clips [N, 3, T, H, W] in [0, 1]: the float counterparts of Pillow's 8-bit ones. Each changes
// the clips in place by a strength per clip, [N, 1, 1, 1, 1]. Results are not cut to [0, 1].

/** ITU-R 601 luma, with Pillow's 16-bit coefficients; the exchanged one with the published SVT code's decimals. */
const LUMA: Record<Luma, readonly [number, number, number]> = {
  rec601: [19595 / 65536, 38470 / 65536, 7471 / 65536],
  'rec601-swapped': [0.114, 0.587, 0.299],
};

/** Multiplies the values of `clips` by `factor`, in place. */
export function adjustBrightness(clips: Tensor, factor: Tensor): void {
  clips.mul_(factor);
}

/** Scales the distance from the mean gray of each frame. */
export function adjustContrast(clips: Tensor, factor: Tensor, luma: Luma): void {
  // The mean of the gray image is the gray of the mean colour, which saves making the image.
  blend(clips, gray(clips.mean([3, 4], { keepdim: true }), luma), factor);
}

/** Scales the distance from the gray image. */
export function adjustSaturation(clips: Tensor, factor: Tensor, luma: Luma): void {
  blend(clips, gray(clips, luma), factor);
}

/**
 * Turns the hue by a fraction of the colour circle, keeping value and saturation of HSV.
 *
 * With the hue h in sixths of the circle, a channel is smallest + chroma · clamp(s, 0, 1) where s = |h - 3| - 1 for red,
 * 2 - |h - 2| for green and 2 - |h - 4| for blue.
 */
export function adjustHue(clips: Tensor, shift: Tensor): void {
  // One pass over the pixels instead of some twenty.
  if (clips.device === 'cpu') turnHue(clips, shift);
  else adjustHueByOperators(clips, shift);
}

/** {@link adjustHue} on any device. */
export function adjustHueByOperators(clips: Tensor, shift: Tensor): void {
  const [red, green, blue] = [0, 1, 2].map((channel) => clips.narrow(1, channel, 1)) as [Tensor, Tensor, Tensor];
  const largest = maximum(maximum(red, green), blue);
  const smallest = minimum(minimum(red, green), blue);
  const chroma = largest.sub(smallest);
  // Distance round the circle times chroma: from blue (4 sixths on), from green (2) or from red, whichever is largest.
  const distance = red.sub(green).add_(chroma, { alpha: 4 });
  replaceWhere(distance, largest.eq(green), blue.sub(red).add_(chroma, { alpha: 2 }));
  replaceWhere(distance, largest.eq(red), green.sub(blue));
  // Gray pixels have no hue; any will do, because their chroma is 0.
  const hue = distance.div_(chroma.clampMin(1e-12)).add_(shift.mul(6));
  hue.sub_(hue.div(6).floor_(), { alpha: 6 });
  const shares = [hue.sub(3).abs_().sub_(1), hue.sub(2).abs_().neg_().add_(2), hue.sub(4).abs_().neg_().add_(2)];
  for (const [channel, share] of shares.entries()) {
    clips.narrow(1, channel, 1).copy_(smallest.addcmul(share.clamp_({ min: 0, max: 1 }), chroma));
  }
}

/** Raises the values to the power of `exponent`. */
export function adjustGamma(clips: Tensor, exponent: Tensor): void {
  clips.pow_(exponent);
}

/** Inverts the values that are not below `threshold`. */
export function solarise(clips: Tensor, threshold: Tensor): void {
  replaceWhere(clips, clips.ge(threshold), clips.neg().add_(1));
}

/** Three equal channels, raised to the power of `exponent` if there is one. */
export function turnGray(clips: Tensor, luma: Luma, exponent?: Tensor): void {
  const image = gray(clips, luma);
  clips.copy_(exponent === undefined ? image : image.pow_(exponent));
}

/** The gray image of clips [N, 3, …], [N, 1, …]. */
function gray(clips: Tensor, luma: Luma): Tensor {
  const [red, green, blue] = LUMA[luma];
  return clips
    .narrow(1, 0, 1)
    .mul(red)
    .add_(clips.narrow(1, 1, 1), { alpha: green })
    .add_(clips.narrow(1, 2, 1), { alpha: blue });
}

/** values = replacements where the mask holds: libtorch's `where` takes ten times as long on a processor. */
function replaceWhere(values: Tensor, mask: Tensor, replacements: Tensor): void {
  values.addcmul_(mask.to({ dtype: values.dtype }), replacements.sub(values));
}

/** clips = factor · clips + (1 - factor) · base. */
function blend(clips: Tensor, base: Tensor, factor: Tensor): void {
  clips.mul_(factor).add_(base.mul(factor.neg().add_(1)));
}
