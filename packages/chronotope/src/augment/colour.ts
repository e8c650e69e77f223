import { maximum, minimum, type Tensor, where } from '@chronotope/torch';

/**
 * Colour operations on float clips in [0, 1]: the float counterparts of Pillow's 8-bit ones. Each changes `clips`
 * [N, 3, T, H, W] in place, by a strength per clip, [N, 1, 1, 1, 1], and keeps the values in [0, 1].
 */
export type ColourOperation = (clips: Tensor, strength: Tensor) => void;

/** ITU-R 601 luma, with Pillow's 16-bit coefficients. */
const LUMA = [19595 / 65536, 38470 / 65536, 7471 / 65536] as const;

/** Scales the distance from the mean gray of each frame. */
export const adjustContrast: ColourOperation = (clips, factor) => {
  blend(clips, gray(clips).mean([3, 4], { keepdim: true }), factor);
};

/** Scales the distance from the gray image. */
export const adjustSaturation: ColourOperation = (clips, factor) => {
  blend(clips, gray(clips), factor);
};

export const adjustBrightness: ColourOperation = (clips, factor) => {
  clips.mul_(factor).clamp_({ min: 0, max: 1 });
};

/**
 * Turns the hue by a fraction of the colour circle, keeping value and saturation of HSV.
 *
 * A channel of an HSV colour is max − chroma · clamp(min(k, 4 − k), 0, 1) with k = (n + 6 · hue) mod 6 and n = 5, 3, 1
 * for R, G, B.
 */
export const adjustHue: ColourOperation = (clips, shift) => {
  const [red, green, blue] = [0, 1, 2].map((channel) => clips.narrow(1, channel, 1)) as [Tensor, Tensor, Tensor];
  const largest = maximum(maximum(red, green), blue);
  const chroma = largest.sub(minimum(minimum(red, green), blue));
  // Gray pixels have no hue; any will do, because their chroma is 0.
  const divisor = chroma.clamp({ min: 1e-12 });
  const sixths = where(
    largest.eq(red),
    green.sub(blue).div_(divisor),
    where(largest.eq(green), blue.sub(red).div_(divisor).add_(2), red.sub(green).div_(divisor).add_(4)),
  ).add_(shift.mul(6));
  for (const [channel, offset] of [5, 3, 1].entries()) {
    const k = sixths.add(offset).remainder_(6);
    const share = minimum(k, k.neg().add_(4)).clamp_({ min: 0, max: 1 });
    clips.narrow(1, channel, 1).copy_(largest.sub(share.mul_(chroma)));
  }
};

/** Three equal channels, raised to the power of `exponent`. */
export const grayWithGamma: ColourOperation = (clips, exponent) => {
  clips.copy_(gray(clips).pow_(exponent));
};

/** The gray image of clips [N, 3, T, H, W], [N, 1, T, H, W]. */
export function gray(clips: Tensor): Tensor {
  const [red, green, blue] = LUMA.map((share, channel) => clips.narrow(1, channel, 1).mul(share)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  return red.add_(green).add_(blue);
}

/** clips = base + factor · (clips − base), cut to [0, 1]. */
function blend(clips: Tensor, base: Tensor, factor: Tensor): void {
  clips.sub_(base).mul_(factor).add_(base).clamp_({ min: 0, max: 1 });
}
