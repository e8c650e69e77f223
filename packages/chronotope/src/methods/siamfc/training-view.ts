import { scope, type Tensor } from '@chronotope/torch';
import { OPENCV_INTERPOLATIONS, resizeLikeOpenCv } from '../../augment/opencv-resize.js';
import { roundHalfToEven } from '../../augment/rounding.js';
import type { Box } from '../../data/manifest.js';
import type { RandomStream } from '../../random.js';
import { type CropRule, cropSquare, cutWindow, meanColourOf } from './crop.js';
import { exemplarSide, type SiamFCGeometry } from './settings.js';

/** How training images are cut out and varied. */
export interface TrainingViewSettings extends SiamFCGeometry {
  crop: CropRule;
  /** Pixels of a search image in training. */
  trainingSearchSize: number;
  /** Largest change of the height and of the width, as a fraction. */
  stretch: number;
  /** Largest distance of the object from the middle of a search image, as a share of what a search image shows. */
  shift: number;
}

/** A training image. */
export interface TrainingView {
  /** float32 `[3, size, size]`, values from 0 to 255. */
  image: Tensor;
  /** Where the object was moved to, relative to the middle of the image, in its pixels. */
  offset: [x: number, y: number];
}

/**
 * Cuts an object out of a frame for training, as SiamFC's official code does: the square of a search image, in a random
 * interpolation; stretched a little; its middle less 8 pixels; of that a random part; for exemplars the middle of it. With
 * a shift, search images are first moved by a Laplace-distributed distance, as in VINCE's code: else the object is always
 * in the middle, and a network that pads can learn just that.
 *
 * @param image uint8 `[H, W, 3]`
 */
export function trainingView(
  image: Tensor,
  box: Box,
  kind: 'exemplar' | 'search',
  settings: TrainingViewSettings,
  random: RandomStream,
): TrainingView {
  const { exemplarSize, searchSize, trainingSearchSize, context, stretch } = settings;
  const [left, top, width, height] = box;
  const shift = kind === 'search' ? settings.shift : 0;
  const moved = [drawShift(random) * shift, drawShift(random) * shift] as const;
  const side = (exemplarSide(width, height, context) * searchSize) / exemplarSize;
  const drawInterpolation = () => OPENCV_INTERPOLATIONS[random.int(OPENCV_INTERPOLATIONS.length)]!;
  const stretched = () => roundHalfToEven(searchSize * (1 + random.uniform(-stretch, stretch)));
  const centre = [left - 1 + (width - 1) / 2 + moved[0] * side, top - 1 + (height - 1) / 2 + moved[1] * side] as const;
  const view = scope(() => {
    const padding = meanColourOf(image);
    const crop = { centre, side, size: searchSize, padding, interpolation: drawInterpolation() };
    const square = cropSquare(image, crop, settings.crop);
    const [rows, columns] = [stretched(), stretched()];
    const varied = resizeLikeOpenCv(square, rows, columns, drawInterpolation());
    const inner = searchSize - MARGIN;
    const size = kind === 'search' ? trainingSearchSize : exemplarSize;
    const offset = (length: number) =>
      middle(length, inner) + random.int(inner - trainingSearchSize + 1) + middle(trainingSearchSize, size);
    return cutWindow(varied, { top: offset(rows), left: offset(columns), size, padding });
  });
  return { image: view, offset: [-moved[0] * searchSize, -moved[1] * searchSize] };
}

/** Laplace-distributed with a mean distance of a quarter, cut off at -1 and 1. */
function drawShift(random: RandomStream): number {
  const sign = random.chance(0.5) ? 1 : -1;
  return sign * Math.min(1, -0.25 * Math.log(1 - random.uniform()));
}

/** What is cut off the stretched image before the random part is chosen, in pixels. */
const MARGIN = 8;

/** Where the middle part of an axis begins; negative where the axis is shorter. */
function middle(length: number, part: number): number {
  return roundHalfToEven((length - part) / 2);
}
