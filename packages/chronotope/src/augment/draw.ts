import type { RandomStream } from '../random.js';
import type { Augmentation, CentreCrop, Range, Transform } from './settings.js';

/** A rectangle in whole pixels. */
export interface Box {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** Height and width of a clip's frames in pixels. */
export interface FrameSize {
  height: number;
  width: number;
}

/** What happens to one clip; `null` and `false` mean not at all. The order of the fields is the order of the effects. */
export interface ClipAugmentation {
  /** The part of the source that is resized to the output. */
  crop: Box;
  earlyContrast: number | null;
  hue: number | null;
  saturation: number | null;
  brightness: number | null;
  lateContrast: number | null;
  grayscale: boolean;
  gamma: number | null;
  droppedChannel: number | null;
  /** The source channel of each output channel. */
  channelOrder: readonly number[] | null;
  flip: boolean;
  /** Rectangles of the output set to 0; they may reach over its border. */
  erased: readonly Box[];
}

/**
 * The random numbers behind a {@link ClipAugmentation}: a gate in [0, 1) and a value for each operation, drawn whether
 * the operation happens or not, so that changing one probability leaves all other draws as they were.
 */
export interface AugmentationDraw {
  gates: {
    contrast: number;
    hue: number;
    saturation: number;
    brightness: number;
    /** Decides between gray, a dropped channel and neither. */
    colourLoss: number;
    gamma: number;
    channelPermutation: number;
    flip: number;
    /** One for each rectangle. */
    erase: readonly number[];
  };
  crop: Box;
  contrast: number;
  hue: number;
  saturation: number;
  brightness: number;
  gamma: number;
  droppedChannel: number;
  channelOrder: readonly number[];
  /** One for each rectangle. */
  erase: readonly Box[];
}

/**
 * Draws what a transform does to one clip.
 *
 * @param source size of the clip's frames
 * @param size side of the square output
 * @param random the clip's own stream; a centre crop draws nothing
 */
export function drawTransform(
  transform: Transform,
  source: FrameSize,
  size: number,
  random: RandomStream,
): ClipAugmentation {
  return 'centreCrop' in transform
    ? centreCropOf(transform, source)
    : applyGates(transform, drawNumbers(transform, source, size, random));
}

/**
 * Decides what happens to a clip: compares the gates with the probabilities of the settings as TimeBalance's official
 * loaders do, so that their draws can be replayed.
 */
export function applyGates(settings: Augmentation, draw: AugmentationDraw): ClipAugmentation {
  const { gates } = draw;
  const { contrast, grayscale, channelDrop } = settings;
  const gray = gates.colourLoss >= 1 - channelDrop - grayscale.probability && gates.colourLoss < 1 - channelDrop;
  const late = gates.contrast >= contrast.probability / 2;
  const contrastFactor = gates.contrast < contrast.probability ? draw.contrast : null;
  return {
    crop: draw.crop,
    earlyContrast: late ? null : contrastFactor,
    hue: gates.hue < settings.hue.probability ? draw.hue : null,
    saturation: gates.saturation < settings.saturation.probability ? draw.saturation : null,
    brightness: gates.brightness < settings.brightness.probability ? draw.brightness : null,
    lateContrast: late ? contrastFactor : null,
    grayscale: gray,
    gamma: gray && gates.gamma >= 1 - grayscale.gamma.probability ? draw.gamma : null,
    droppedChannel: gates.colourLoss >= 1 - channelDrop ? draw.droppedChannel : null,
    channelOrder: gates.channelPermutation < settings.channelPermutation ? draw.channelOrder : null,
    flip: gates.flip >= 1 - settings.flip,
    erased: draw.erase.filter((_, index) => gates.erase[index]! < settings.erase.probability),
  };
}

/** The crop from the middle of a frame; half pixels round to the even neighbour, as in the official transform. */
export function centreCropOf({ centreCrop }: CentreCrop, source: FrameSize): ClipAugmentation {
  const height = cropSide(centreCrop, source.height);
  const width = cropSide(centreCrop, source.width);
  return {
    crop: {
      top: roundHalfToEven((source.height - height) / 2),
      left: roundHalfToEven((source.width - width) / 2),
      height,
      width,
    },
    earlyContrast: null,
    hue: null,
    saturation: null,
    brightness: null,
    lateContrast: null,
    grayscale: false,
    gamma: null,
    droppedChannel: null,
    channelOrder: null,
    flip: false,
    erased: [],
  };
}

function drawNumbers(settings: Augmentation, source: FrameSize, size: number, random: RandomStream): AugmentationDraw {
  const { erase } = settings;
  const draw = {
    gates: {
      contrast: random.uniform(),
      hue: random.uniform(),
      saturation: random.uniform(),
      brightness: random.uniform(),
      colourLoss: random.uniform(),
      gamma: random.uniform(),
      channelPermutation: random.uniform(),
      flip: random.uniform(),
    },
    crop: drawCrop(settings.crop, source, random),
    contrast: random.uniform(...settings.contrast.range),
    hue: random.uniform(...settings.hue.range),
    saturation: random.uniform(...settings.saturation.range),
    brightness: random.uniform(...settings.brightness.range),
    gamma: random.uniform(...settings.grayscale.gamma.range),
    droppedChannel: random.int(3),
    channelOrder: random.permutation(3),
  };
  // Last, so that the number of rectangles changes nothing else.
  const rectangles = Array.from({ length: erase.count }, () => ({
    gate: random.uniform(),
    box: drawErasedBox(erase, size, random),
  }));
  return {
    ...draw,
    gates: { ...draw.gates, erase: rectangles.map(({ gate }) => gate) },
    erase: rectangles.map(({ box }) => box),
  };
}

function drawCrop(range: Range, source: FrameSize, random: RandomStream): Box {
  const factor = random.uniform(...range);
  const height = cropSide(factor, source.height);
  const width = cropSide(factor, source.width);
  return {
    top: random.int(source.height - height + 1),
    left: random.int(source.width - width + 1),
    height,
    width,
  };
}

function drawErasedBox(erase: Augmentation['erase'], size: number, random: RandomStream): Box {
  return {
    top: random.int(size),
    left: random.int(size),
    height: drawSide(erase.height, size, random),
    width: drawSide(erase.width, size, random),
  };
}

/** An integer in [low·size, high·size), at least 1. */
function drawSide([low, high]: Range, size: number, random: RandomStream): number {
  const smallest = Math.max(1, Math.round(low * size));
  const end = Math.max(smallest + 1, Math.round(high * size));
  return smallest + random.int(end - smallest);
}

function cropSide(factor: number, side: number): number {
  return Math.min(side, Math.max(1, Math.trunc(factor * side)));
}

function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
