import type { Box } from '../../data/manifest.js';
import { meanOf } from '../bootstrap.js';
import { centreError, iou, normalisedCentreError } from './boxes.js';

// Thresholds are multiples of a rounded step, as in numpy's linspace, because boxes in whole pixels meet them exactly.

/** Overlaps of the success curve: 0, 0.05, …, 1. */
export const OVERLAP_THRESHOLDS: readonly number[] = Array.from({ length: 21 }, (_, k) => k * 0.05);

/** Distances of the precision curve in pixels: 0, 1, …, 50. */
export const DISTANCE_THRESHOLDS: readonly number[] = Array.from({ length: 51 }, (_, k) => k);

/** Distances of the normalised precision curve, in units of the true box: 0, 0.01, …, 0.5. */
export const NORMALISED_THRESHOLDS: readonly number[] = Array.from({ length: 51 }, (_, k) => k * 0.01);

const REPORTED_DISTANCE = 20;
const REPORTED_OVERLAP = 10;

/** The curves of one-pass evaluation: shares of frames in [0, 1], one for each threshold. */
export interface OtbCurves {
  /** Share of frames whose overlap with the truth is larger than the threshold. */
  success: number[];
  /** Share of frames whose centre is at most the threshold away from the true one. */
  precision: number[];
  /** The same in units of the true box. */
  normalisedPrecision: number[];
}

/** The numbers that are reported of such curves, in [0, 1]. */
export interface OtbScores {
  /** Area under the success curve: the mean of its values. */
  success: number;
  /** Precision at 20 pixels. */
  precision: number;
  /** Mean of the normalised precision curve. */
  normalisedPrecision: number;
  /** Share of frames with an overlap above 0.5. */
  successRate: number;
}

/**
 * The curves of one sequence (Wu, Lim, Yang: "Object Tracking Benchmark", 2015; as computed by the GOT-10k toolkit). The
 * first frame counts, with the given box as prediction.
 *
 * @param predicted one box a frame, like `truth`
 * @throws RangeError when the numbers of boxes differ
 */
export function otbCurves(predicted: readonly Box[], truth: readonly Box[]): OtbCurves {
  requireSameLength(predicted, truth);
  const overlaps = truth.map((box, frame) => iou(predicted[frame]!, box));
  const distances = truth.map((box, frame) => centreError(predicted[frame]!, box));
  const normalised = truth.map((box, frame) => normalisedCentreError(predicted[frame]!, box));
  return {
    success: OVERLAP_THRESHOLDS.map((threshold) => shareOf(overlaps, (overlap) => overlap > threshold)),
    precision: DISTANCE_THRESHOLDS.map((threshold) => shareOf(distances, (distance) => distance <= threshold)),
    normalisedPrecision: NORMALISED_THRESHOLDS.map((threshold) =>
      shareOf(normalised, (distance) => distance <= threshold),
    ),
  };
}

/** The curves of a benchmark: those of its sequences averaged, each with the same weight however long it is. */
export function meanCurves(curves: readonly OtbCurves[]): OtbCurves {
  const mean = (key: keyof OtbCurves) =>
    curves[0]![key].map((_, k) => curves.reduce((sum, curve) => sum + curve[key][k]!, 0) / curves.length);
  return {
    success: mean('success'),
    precision: mean('precision'),
    normalisedPrecision: mean('normalisedPrecision'),
  };
}

/** The scores of one sequence's curves, or of a benchmark's. */
export function otbScores({ success, precision, normalisedPrecision }: OtbCurves): OtbScores {
  return {
    success: meanOf(success),
    precision: precision[REPORTED_DISTANCE]!,
    normalisedPrecision: meanOf(normalisedPrecision),
    successRate: success[REPORTED_OVERLAP]!,
  };
}

/** @throws RangeError when there are not as many predicted boxes as true ones */
export function requireSameLength(predicted: readonly Box[], truth: readonly Box[]): void {
  if (predicted.length === truth.length) return;
  throw new RangeError(`${predicted.length} predicted boxes for ${truth.length} frames`);
}

function shareOf(values: readonly number[], counts: (value: number) => boolean): number {
  return values.filter(counts).length / values.length;
}
