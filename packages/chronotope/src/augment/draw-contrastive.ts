import type { RandomStream } from '../random.js';
import {
  type Box,
  type ClipAugmentation,
  type FrameSize,
  type Step,
  wholeCanvas,
  wholeFrame,
} from './clip-augmentation.js';
import { roundHalfToEven, scaledSize } from './rounding.js';
import type { ContrastiveAugmentation, RandomCrop } from './settings.js';

/** How often a random area and aspect ratio are tried before the largest crop from the middle is taken (torchvision). */
const CROP_ATTEMPTS = 10;

/**
 * Draws one clip's augmentation of the MoCo, DINO and SVT kind.
 *
 * Every number but the crop's is drawn whether it is needed or not, and the crop's last, so that changing one
 * probability leaves all other draws as they were.
 */
export function drawContrastive(
  settings: ContrastiveAugmentation,
  source: FrameSize,
  size: number,
  random: RandomStream,
): ClipAugmentation {
  const flip = random.chance(settings.flip);
  const jitter = drawJitter(settings.jitter, random);
  const gray = random.chance(settings.grayscale);
  const blurred = random.chance(settings.blur.probability);
  const sigma = random.uniform(...settings.blur.sigma);
  const solarised = random.chance(settings.solarise.probability);
  const grayStep: Step[] = gray ? [{ kind: 'gray' }] : [];
  const steps: Step[] = settings.grayscaleFirst ? [...grayStep, ...jitter] : [...jitter, ...grayStep];
  if (blurred) steps.push({ kind: 'blur', value: sigma });
  if (solarised) steps.push({ kind: 'solarise', value: settings.solarise.threshold });
  const { interpolation, clamp, luma, normalise } = settings;
  return { ...drawCrop(settings.randomCrop, source, size, random), flip, steps, interpolation, clamp, luma, normalise };
}

/** The colour jitter's operations in the order drawn; none where the gate stays closed. */
function drawJitter(jitter: ContrastiveAugmentation['jitter'], random: RandomStream): Step[] {
  const open = random.chance(jitter.probability);
  const factor = (strength: number): number => random.uniform(Math.max(0, 1 - strength), 1 + strength);
  const steps: Step[] = [
    { kind: 'brightness', value: factor(jitter.brightness) },
    { kind: 'contrast', value: factor(jitter.contrast) },
    { kind: 'saturation', value: factor(jitter.saturation) },
    { kind: 'hue', value: random.uniform(-jitter.hue, jitter.hue) },
  ];
  const strengths = [jitter.brightness, jitter.contrast, jitter.saturation, jitter.hue];
  const order = random.permutation(steps.length).filter((index) => strengths[index]! > 0);
  return open ? order.map((index) => steps[index]!) : [];
}

function drawCrop(
  settings: RandomCrop,
  source: FrameSize,
  size: number,
  random: RandomStream,
): { crop: Box; canvas: Box } {
  if (settings.kind === 'resized') {
    return { crop: drawResizedCrop(settings, source, random), canvas: wholeCanvas(size) };
  }
  const scaled = scaledSize(source, Math.max(size, Math.round(random.uniform(...settings.shortSide) * size)));
  const top = random.int(scaled.height - size + 1);
  const left = random.int(scaled.width - size + 1);
  return { crop: wholeFrame(source), canvas: { top, left, ...scaled } };
}

/** torchvision's RandomResizedCrop: the first of up to ten random shapes that fits, else the middle of the frame. */
function drawResizedCrop(
  { area, ratio }: { area: readonly [number, number]; ratio: readonly [number, number] },
  source: FrameSize,
  random: RandomStream,
): Box {
  for (let attempt = 0; attempt < CROP_ATTEMPTS; attempt++) {
    const pixels = random.uniform(...area) * source.height * source.width;
    const shape = Math.exp(random.uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const width = roundHalfToEven(Math.sqrt(pixels * shape));
    const height = roundHalfToEven(Math.sqrt(pixels / shape));
    if (width >= 1 && height >= 1 && width <= source.width && height <= source.height) {
      const top = random.int(source.height - height + 1);
      const left = random.int(source.width - width + 1);
      return { top, left, height, width };
    }
  }
  return largestCrop(ratio, source);
}

/** The largest crop from the middle of the frame whose aspect ratio lies in the range. */
function largestCrop([narrowest, widest]: readonly [number, number], source: FrameSize): Box {
  const shape = source.width / source.height;
  const width = shape > widest ? Math.max(1, roundHalfToEven(source.height * widest)) : source.width;
  const height = shape < narrowest ? Math.max(1, roundHalfToEven(source.width / narrowest)) : source.height;
  return { top: Math.floor((source.height - height) / 2), left: Math.floor((source.width - width) / 2), height, width };
}
