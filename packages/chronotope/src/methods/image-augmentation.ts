import { type Tensor, tensor } from '@chronotope/torch';
import { imagenetNormalisation, mocoV2 } from '../augment/presets.js';
import type { ContrastiveAugmentation, Transform } from '../augment/settings.js';
import type { ImageAugment } from '../recipes/image-augment.js';

/** A recipe's augmentation, in full: with ImageNet's normalisation, as MoCo and CCL have it. */
export function imageAugmentation({ area, ...others }: ImageAugment): ContrastiveAugmentation {
  return { ...mocoV2, ...others, randomCrop: { kind: 'resized', area, ratio: [3 / 4, 4 / 3] } };
}

/** The three squares along the longer side of a frame. */
export const THREE_CROPS = (['first', 'middle', 'last'] as const).map(
  (position): Transform => ({ shortSide: 1, position, interpolation: 'bilinear', normalise: imagenetNormalisation }),
);

/** Images `[3, …]` in [0, 1] from what {@link imageAugmentation} and the test transforms give networks. */
export function withoutNormalisation(images: Tensor): Tensor {
  const { mean, std } = imagenetNormalisation;
  const channels = (values: readonly number[]) =>
    tensor(values, { device: images.device }).reshape([3, ...images.shape.slice(1).map(() => 1)]);
  return images.mul(channels(std)).add(channels(mean));
}
