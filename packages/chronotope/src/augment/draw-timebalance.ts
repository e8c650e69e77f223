import type { RandomStream } from '../random.js';
import { type Box, type ClipAugmentation, type FrameSize, type Step, wholeCanvas } from './clip-augmentation.js';
import { cropSide } from './rounding.js';
import type { Range, TimeBalanceAugmentation } from './settings.js';

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

/** Draws one clip's augmentation of the TimeBalance kind. */
export function drawTimeBalance(
  settings: TimeBalanceAugmentation,
  source: FrameSize,
  size: number,
  random: RandomStream,
): ClipAugmentation {
  return applyGates(settings, drawNumbers(settings, source, size, random), size);
}

/**
 * Decides what happens to a clip: compares the gates with the probabilities of the settings as TimeBalance's official
 * loaders do, so that their draws can be replayed.
 */
export function applyGates(settings: TimeBalanceAugmentation, draw: AugmentationDraw, size: number): ClipAugmentation {
  const { gates } = draw;
  const { contrast, grayscale, channelDrop } = settings;
  const gray = gates.colourLoss >= 1 - channelDrop - grayscale.probability && gates.colourLoss < 1 - channelDrop;
  const late = gates.contrast >= contrast.probability / 2;
  const steps: Step[] = [];
  const changeContrast = (): void => {
    if (gates.contrast < contrast.probability) steps.push({ kind: 'contrast', value: draw.contrast });
  };
  if (!late) changeContrast();
  if (gates.hue < settings.hue.probability) steps.push({ kind: 'hue', value: draw.hue });
  if (gates.saturation < settings.saturation.probability) steps.push({ kind: 'saturation', value: draw.saturation });
  if (gates.brightness < settings.brightness.probability) steps.push({ kind: 'brightness', value: draw.brightness });
  if (late) changeContrast();
  if (gray) steps.push({ kind: 'gray' });
  if (gray && gates.gamma >= 1 - grayscale.gamma.probability) steps.push({ kind: 'gamma', value: draw.gamma });
  if (gates.colourLoss >= 1 - channelDrop) steps.push({ kind: 'channel-drop', channel: draw.droppedChannel });
  if (gates.channelPermutation < settings.channelPermutation) {
    steps.push({ kind: 'channel-order', order: draw.channelOrder });
  }
  const boxes = draw.erase.filter((_, index) => gates.erase[index]! < settings.erase.probability);
  if (boxes.length > 0) steps.push({ kind: 'erase', boxes });
  return {
    crop: draw.crop,
    canvas: wholeCanvas(size),
    interpolation: 'bilinear',
    flip: gates.flip >= 1 - settings.flip,
    steps,
    clamp: true,
    luma: 'rec601',
    normalise: null,
  };
}

function drawNumbers(
  settings: TimeBalanceAugmentation,
  source: FrameSize,
  size: number,
  random: RandomStream,
): AugmentationDraw {
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
    crop: drawCrop(settings, source, random),
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

function drawCrop(settings: TimeBalanceAugmentation, source: FrameSize, random: RandomStream): Box {
  const factor = random.uniform(...settings.crop);
  const height = cropSide(factor, source.height);
  const width = settings.squareCrop ? Math.min(height, source.width) : cropSide(factor, source.width);
  return {
    top: random.int(source.height - height + 1),
    left: random.int(source.width - width + 1),
    height,
    width,
  };
}

function drawErasedBox(erase: TimeBalanceAugmentation['erase'], size: number, random: RandomStream): Box {
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
