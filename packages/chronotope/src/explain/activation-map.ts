import { full, noGrad, scope, stack, type Tensor, where, zerosLike } from '@chronotope/torch';
import type { Classifier } from '../models/classifier.js';

/**
 * Where and when a classifier saw evidence for one class rather than another (class activation mapping, Zhou et al.,
 * CVPR 2016, over space and time).
 *
 * The classifier averages its feature map and applies one linear layer, so the map is exact: its mean, plus the
 * difference of the two biases, is the difference of the two logits.
 *
 * @param clips `[N, 3, T, H, W]`
 * @param options.against the class compared with; without it the map is of the logit itself
 * @returns `[N, T', H', W']`, the size of the backbone's last feature map
 */
export function activationMap(model: Classifier, clips: Tensor, options: { for: number; against?: number }): Tensor {
  return scope(() =>
    noGrad(() => {
      const { weight } = model.fc;
      const own = weight.select(0, options.for);
      const direction = options.against === undefined ? own : own.sub(weight.select(0, options.against));
      return model.backbone
        .featureMap(clips)
        .mul(direction.view([1, -1, 1, 1, 1]))
        .sum(1);
    }),
  );
}

/** Colours of evidence for (orange) and against (blue), R, G, B in [0, 1]. */
const FOR = [0.96, 0.45, 0.05];
const AGAINST = [0.1, 0.42, 0.95];

/**
 * Paints a map over the frames it belongs to: grey where it is zero, orange where it is positive and blue where it is
 * negative, as strong as its share of the largest magnitude in the clip.
 *
 * @param frames float32 `[3, T, H, W]` in [0, 1]
 * @param map `[T', H', W']`, stretched to the frames
 * @returns float32 `[3, T, H, W]` in [0, 1]
 */
export function paintMap(frames: Tensor, map: Tensor): Tensor {
  return scope(() =>
    noGrad(() => {
      const [, ...size] = frames.shape;
      const stretched = map
        .view([1, 1, ...map.shape])
        .upsampleTrilinear3d(size, false)
        .view(size);
      const largest = Math.max(stretched.abs().max().item(), Number.MIN_VALUE);
      const strength = stretched.abs().div(largest);
      const grey = frames.mean(0).mul(0.75).add(0.1);
      const positive = stretched.ge(0);
      const channels = [0, 1, 2].map((channel) => {
        const warm = full(size, FOR[channel]!);
        const colour = where(positive, warm, zerosLike(warm).add(AGAINST[channel]!));
        return grey.add(colour.sub(grey).mul(strength).mul(0.75));
      });
      return stack(channels).clamp({ min: 0, max: 1 });
    }),
  );
}
