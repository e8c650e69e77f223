/** Lower and upper end of a uniform draw. */
export type Range = readonly [low: number, high: number];

/** An operation applied to a share of the clips, with a strength drawn for each of them. */
export interface Jitter {
  /** Share of the clips, in [0, 1]. */
  probability: number;
  range: Range;
}

/**
 * A random augmentation. Everything is drawn once for a clip and applied to all its frames; the order of the
 * operations is the order of the fields, except that half of the contrast changes come after brightness.
 */
export interface Augmentation {
  /** Height and width of the crop as a fraction of the source's; one draw for both. */
  crop: Range;
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

/** The deterministic transform of evaluation: a crop from the middle, as a fraction of height and width. */
export interface CentreCrop {
  centreCrop: number;
}

/** How a view's frames become network input. */
export type Transform = Augmentation | CentreCrop;

/** Rectangles of TimeBalance on 240 x 320 video: 40..79 high and 53..105 wide in an output of 224 x 224. */
const ERASE_SIZE = { height: [40 / 224, 80 / 224], width: [53 / 224, 106 / 224] } as const;

/** Augmentation of TimeBalance's self-supervised stage (official code, `dl_ssl.py`), without its unused blur. */
export const timebalancePretext: Augmentation = {
  crop: [0.5, 1],
  flip: 0.5,
  contrast: { probability: 0.25, range: [0.75, 1.25] },
  hue: { probability: 0.3, range: [-0.1, 0.1] },
  saturation: { probability: 0.3, range: [0.75, 1.25] },
  brightness: { probability: 0.3, range: [0.75, 1.25] },
  grayscale: { probability: 0.175, gamma: { probability: 0.75, range: [0.75, 1.25] } },
  channelDrop: 0.125,
  channelPermutation: 0,
  erase: { count: 1, probability: 0.7, ...ERASE_SIZE },
};

/** The weaker augmentation of TimeBalance's fine-tuning and student stages (`dl_semisup_2clips.py`). */
export const timebalanceTrain: Augmentation = {
  crop: [0.4, 1],
  flip: 0.5,
  contrast: { probability: 0.125, range: [0.9, 1.1] },
  hue: { probability: 0.15, range: [-0.05, 0.05] },
  saturation: { probability: 0.15, range: [0.9, 1.1] },
  brightness: { probability: 0.15, range: [0.9, 1.1] },
  grayscale: { probability: 0.1, gamma: { probability: 0.75, range: [0.85, 1.15] } },
  channelDrop: 0,
  channelPermutation: 0,
  erase: { count: 2, probability: 0.4, ...ERASE_SIZE },
};

/** The transform of TimeBalance's evaluation. */
export const testTransform: CentreCrop = { centreCrop: 0.8 };
