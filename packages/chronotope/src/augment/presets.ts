import type {
  CentreCrop,
  ContrastiveAugmentation,
  Normalisation,
  ScaledCrop,
  TimeBalanceAugmentation,
} from './settings.js';

// Every preset says where its numbers come from: the paper, the published code, or ourselves.

/** Mean and standard deviation of ImageNet, as MoCo, CCL, DINO and SVT use them (code). */
export const imagenetNormalisation: Normalisation = {
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** The constants of the released CLIP models (code). */
export const clipNormalisation: Normalisation = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

/** Rectangles of TimeBalance on 240 x 320 video: 40..79 high and 53..105 wide in an output of 224 x 224 (code). */
const TIMEBALANCE_ERASE = { height: [40 / 224, 80 / 224], width: [53 / 224, 106 / 224] } as const;

/**
 * TimeBalance's self-supervised stage (code, `dl_ssl.py`), without its blur: that is off in the published settings, and
 * its sigma of 0.2 pixels would change nothing.
 */
export const timebalancePretext: TimeBalanceAugmentation = {
  crop: [0.5, 1],
  flip: 0.5,
  contrast: { probability: 0.25, range: [0.75, 1.25] },
  hue: { probability: 0.3, range: [-0.1, 0.1] },
  saturation: { probability: 0.3, range: [0.75, 1.25] },
  brightness: { probability: 0.3, range: [0.75, 1.25] },
  grayscale: { probability: 0.175, gamma: { probability: 0.75, range: [0.75, 1.25] } },
  channelDrop: 0.125,
  channelPermutation: 0,
  erase: { count: 1, probability: 0.7, ...TIMEBALANCE_ERASE },
};

/** TimeBalance's weaker augmentation of fine-tuning and the student (code, `dl_semisup_2clips.py`). */
export const timebalanceTrain: TimeBalanceAugmentation = {
  crop: [0.4, 1],
  flip: 0.5,
  contrast: { probability: 0.125, range: [0.9, 1.1] },
  hue: { probability: 0.15, range: [-0.05, 0.05] },
  saturation: { probability: 0.15, range: [0.9, 1.1] },
  brightness: { probability: 0.15, range: [0.9, 1.1] },
  grayscale: { probability: 0.1, gamma: { probability: 0.75, range: [0.85, 1.15] } },
  channelDrop: 0,
  channelPermutation: 0,
  erase: { count: 2, probability: 0.4, ...TIMEBALANCE_ERASE },
};

/** TCLR's own self-supervised stage (code): square crops, and rectangles of 9..18 pixels in an output of 112 x 112. */
export const tclrPretext: TimeBalanceAugmentation = {
  ...timebalancePretext,
  crop: [0.6, 1],
  squareCrop: true,
  erase: { count: 1, probability: 0.5, height: [9 / 112, 19 / 112], width: [9 / 112, 19 / 112] },
};

/** TimeBalance's evaluation (code). */
export const testTransform: CentreCrop = { centreCrop: 0.8 };

/** Nothing but a crop of any size, scaled as Pillow does it: what the presets below start from. */
const plain: ContrastiveAugmentation = {
  randomCrop: { kind: 'resized', area: [0.08, 1], ratio: [3 / 4, 4 / 3] },
  interpolation: 'bilinear',
  flip: 0.5,
  jitter: { probability: 0, brightness: 0, contrast: 0, saturation: 0, hue: 0 },
  grayscale: 0,
  grayscaleFirst: false,
  blur: { probability: 0, sigma: [0.1, 2] },
  solarise: { probability: 0, threshold: 128 / 255 },
  clamp: true,
  luma: 'rec601',
  normalise: imagenetNormalisation,
};

/** MoCo v2's augmentation of query, key and candidate frames, which CCL uses (code, `--aug-plus`). */
export const mocoV2: ContrastiveAugmentation = {
  ...plain,
  randomCrop: { kind: 'resized', area: [0.2, 1], ratio: [3 / 4, 4 / 3] },
  jitter: { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
  grayscale: 0.2,
  blur: { probability: 0.5, sigma: [0.1, 2] },
};

/** MoCo v1's: gray first, a stronger hue, always jittered, no blur (CCL's code without `--aug-plus`). */
export const mocoV1: ContrastiveAugmentation = {
  ...mocoV2,
  jitter: { probability: 1, brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.4 },
  grayscaleFirst: true,
  blur: { probability: 0, sigma: [0.1, 2] },
};

/** Training of a linear classifier on frozen image features (CCL's code, `main_lincls.py`). */
export const linearProbeTrain: ContrastiveAugmentation = plain;

/** Fine-tuning on UCF101 clips after CCL (code, the AVID-CMA fork). */
export const cclVideoTrain: ContrastiveAugmentation = {
  ...plain,
  jitter: { probability: 1, brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.2 },
};

/** Short side 256 for an output of 224, the square from the middle: ImageNet's and CCL's evaluation (code). */
export const imagenetTest: ScaledCrop = {
  shortSide: 256 / 224,
  position: 'centre',
  interpolation: 'bilinear',
  normalise: imagenetNormalisation,
};

/** A global view of SVT exactly as published (code): bicubic without anti-aliasing, no hue, no clamping, R and B of the luma exchanged. */
export const svtGlobal: ContrastiveAugmentation = {
  ...plain,
  randomCrop: { kind: 'resized', area: [0.4, 1], ratio: [3 / 4, 4 / 3] },
  interpolation: 'bicubic-aliased',
  jitter: { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0 },
  grayscale: 0.2,
  clamp: false,
  luma: 'rec601-swapped',
};

/** A local view of SVT exactly as published (code). */
export const svtLocal: ContrastiveAugmentation = {
  ...svtGlobal,
  randomCrop: { kind: 'resized', area: [0.05, 0.4], ratio: [3 / 4, 4 / 3] },
};

/** Training views of SVT's linear probe (code): short side 256 to 320 for an output of 224, a random square, a flip. */
export const svtProbeTrain: ContrastiveAugmentation = {
  ...plain,
  randomCrop: { kind: 'scaled', shortSide: [256 / 224, 320 / 224] },
  interpolation: 'bilinear-aliased',
  clamp: false,
};

/** One of the three places of SVT's test crops (code); use all three and average. */
export function svtTest(position: 'first' | 'middle' | 'last'): ScaledCrop {
  return { shortSide: 1, position, interpolation: 'bilinear-aliased', normalise: imagenetNormalisation };
}

/** A global view for LSS (ours; no code is published): SVT's, with values kept in [0, 1], correct gray, and CLIP's constants. */
export const lssGlobal: ContrastiveAugmentation = {
  ...svtGlobal,
  clamp: true,
  luma: 'rec601',
  normalise: clipNormalisation,
};

/** A local view for LSS (ours). */
export const lssLocal: ContrastiveAugmentation = { ...lssGlobal, randomCrop: svtLocal.randomCrop };

/** DINO's first global view of an image (code, `main_dino.py`). */
export const dinoGlobal1: ContrastiveAugmentation = {
  ...plain,
  randomCrop: { kind: 'resized', area: [0.4, 1], ratio: [3 / 4, 4 / 3] },
  interpolation: 'bicubic',
  jitter: { probability: 0.8, brightness: 0.4, contrast: 0.4, saturation: 0.2, hue: 0.1 },
  grayscale: 0.2,
  blur: { probability: 1, sigma: [0.1, 2] },
};

/** DINO's second global view (code): rarely blurred, sometimes solarised. */
export const dinoGlobal2: ContrastiveAugmentation = {
  ...dinoGlobal1,
  blur: { probability: 0.1, sigma: [0.1, 2] },
  solarise: { probability: 0.2, threshold: 128 / 255 },
};

/** DINO's local views (code). */
export const dinoLocal: ContrastiveAugmentation = {
  ...dinoGlobal1,
  randomCrop: { kind: 'resized', area: [0.05, 0.4], ratio: [3 / 4, 4 / 3] },
  blur: { probability: 0.5, sigma: [0.1, 2] },
};

/** What the released CLIP models were given (code): bicubic, the square from the middle. */
export const clipPreprocess: ScaledCrop = {
  shortSide: 1,
  position: 'centre',
  interpolation: 'bicubic',
  normalise: clipNormalisation,
};

/** All augmentations and test transforms above by name. */
export const PRESETS = {
  'timebalance-pretext': timebalancePretext,
  'timebalance-train': timebalanceTrain,
  'timebalance-test': testTransform,
  'tclr-pretext': tclrPretext,
  'moco-v1': mocoV1,
  'moco-v2': mocoV2,
  'linear-probe-train': linearProbeTrain,
  'ccl-video-train': cclVideoTrain,
  'imagenet-test': imagenetTest,
  'svt-global': svtGlobal,
  'svt-local': svtLocal,
  'svt-probe-train': svtProbeTrain,
  'svt-test-first': svtTest('first'),
  'svt-test-middle': svtTest('middle'),
  'svt-test-last': svtTest('last'),
  'lss-global': lssGlobal,
  'lss-local': lssLocal,
  'dino-global-1': dinoGlobal1,
  'dino-global-2': dinoGlobal2,
  'dino-local': dinoLocal,
  'clip-preprocess': clipPreprocess,
} as const;
