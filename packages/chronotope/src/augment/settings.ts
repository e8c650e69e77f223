/** Lower and upper end of a uniform draw. */
export type Range = readonly [low: number, high: number];

/**
 * How a crop becomes the output's size. `bilinear` and `bicubic` are Pillow's anti-aliased filters (bicubic with
 * a = -0.5); the `aliased` ones are those of torch's `interpolate` without anti-aliasing (bicubic with a = -0.75).
 */
export type Interpolation = 'bilinear' | 'bilinear-aliased' | 'bicubic' | 'bicubic-aliased';

/** Per-channel mean and standard deviation (R, G, B) of values in [0, 1]; the network gets (x - mean) / std. */
export interface Normalisation {
  mean: readonly [number, number, number];
  std: readonly [number, number, number];
}

/** What gray is: ITU-R 601 luma, or the same with the weights of R and B exchanged (the published SVT code). */
export type Luma = 'rec601' | 'rec601-swapped';

/** An operation applied to a share of the clips, with a strength drawn for each of them. */
export interface Jitter {
  /** Share of the clips, in [0, 1]. */
  probability: number;
  range: Range;
}

/**
 * The augmentation of TimeBalance. Everything is drawn once for a clip and applied to all its frames; the order of the
 * operations is the order of the fields, except that half of the contrast changes come after brightness.
 */
export interface TimeBalanceAugmentation {
  /** Height and width of the crop as a fraction of the source's; one draw for both. */
  crop: Range;
  /** Crops squares, whose side is the drawn fraction of the source's height. Default false: the source's shape. */
  squareCrop?: boolean;
  /** Probability of a horizontal mirror image. 0 where left and right carry the class. */
  flip: number;
  /** Factor about the mean gray of each frame. Half of the changed clips get it before the other colour operations. */
  contrast: Jitter;
  /** Shift as a fraction of the colour circle. */
  hue: Jitter;
  /** Factor about the gray image. */
  saturation: Jitter;
  /** Factor. */
  brightness: Jitter;
  /** Three equal channels; `gamma` is the exponent that a share of the gray clips gets besides. */
  grayscale: { probability: number; gamma: Jitter };
  /** Probability that one channel is set to 0. A clip is never both gray and without a channel. */
  channelDrop: number;
  /** Probability that the channels change places, all six orders alike. */
  channelPermutation: number;
  /** `count` independent black rectangles; sizes as fractions of the output, cut at its border. */
  erase: { count: number; probability: number; height: Range; width: Range };
}

/**
 * Where a contrastive augmentation looks. `resized`: a box of random area (a fraction of the frame's) and aspect ratio
 * (width / height, log-uniform), scaled to the output. `scaled`: the frame's short side becomes a random multiple of the
 * output's side, then a random square of the output's size is cut out.
 */
export type RandomCrop = { kind: 'resized'; area: Range; ratio: Range } | { kind: 'scaled'; shortSide: Range };

/**
 * The augmentations of MoCo, DINO and SVT. Everything is drawn once for a clip and applied to all its frames, in the
 * order jitter, gray, blur, solarise.
 */
export interface ContrastiveAugmentation {
  randomCrop: RandomCrop;
  interpolation: Interpolation;
  /** Probability of a horizontal mirror image. 0 where left and right carry the class. */
  flip: number;
  /**
   * With `probability`, brightness, contrast and saturation by factors from [max(0, 1 - s), 1 + s] and a turn of the
   * colour circle from [-hue, hue], in random order. An operation of strength 0 is left out.
   */
  jitter: { probability: number; brightness: number; contrast: number; saturation: number; hue: number };
  /** Probability of three equal channels. */
  grayscale: number;
  /** Turns gray before the jitter, as MoCo v1 does. */
  grayscaleFirst: boolean;
  /** Gaussian blur; `sigma` in pixels of the output. */
  blur: { probability: number; sigma: Range };
  /** Inverts the values that are not below `threshold`. */
  solarise: { probability: number; threshold: number };
  /** Cuts values to [0, 1] after every operation. */
  clamp: boolean;
  luma: Luma;
  normalise: Normalisation | null;
}

/** TimeBalance's evaluation: a crop from the middle, as a fraction of height and width, squashed to a square. */
export interface CentreCrop {
  centreCrop: number;
}

/**
 * The usual evaluation transform: the frame is scaled so that its short side is `shortSide` times the output's side,
 * then a square of the output's size is cut out. `centre` rounds half pixels to even (torchvision, CLIP); `first`,
 * `middle` and `last` are the three places along the long side of a three-crop test (left, centre, right of a wide
 * frame; top, centre, bottom of a tall one), which together show all of a frame of up to 3 : 1.
 */
export interface ScaledCrop {
  shortSide: number;
  position: 'centre' | 'first' | 'middle' | 'last';
  interpolation: Interpolation;
  normalise: Normalisation | null;
}

/** How a view's frames become network input. */
export type Transform = TimeBalanceAugmentation | ContrastiveAugmentation | CentreCrop | ScaledCrop;
