import { groupBy } from '../../data/group-by.js';
import type { Box } from '../../data/manifest.js';
import { clipBox, type ImageSize, iou } from './boxes.js';
import { requireSameLength } from './otb.js';

/** Thresholds of the success curve: 0, 0.01, …, 1. */
export const GOT10K_THRESHOLDS: readonly number[] = Array.from({ length: 101 }, (_, k) => k * 0.01);

/** The scores of GOT-10k (Huang, Zhao, Huang, TPAMI 2021), in [0, 1]. */
export interface Got10kScores {
  /** Average overlap, AO. */
  averageOverlap: number;
  /** SR0.5: share of frames with an overlap above 0.5. */
  successRate50: number;
  /** SR0.75. */
  successRate75: number;
}

/** What of a sequence counts. */
export interface Got10kSequence {
  predicted: readonly Box[];
  truth: readonly Box[];
  image: ImageSize;
  /** How much of the object is visible, 0 to 8; hidden frames do not count. Default: all count. */
  cover?: readonly number[];
}

/**
 * The overlaps of the frames that count: all but the first, where the object is visible, with both boxes cut off at the
 * image's border.
 *
 * @throws RangeError when the numbers of boxes differ
 */
export function got10kOverlaps({ predicted, truth, image, cover }: Got10kSequence): number[] {
  requireSameLength(predicted, truth);
  return truth.flatMap((box, frame) =>
    frame === 0 || cover?.[frame] === 0 ? [] : [iou(clipBox(predicted[frame]!, image), clipBox(box, image))],
  );
}

/** The scores of overlaps, of one sequence or of all frames of a benchmark together, as the toolkit pools them. */
export function got10kScores(overlaps: readonly number[]): Got10kScores {
  const curve = got10kCurve(overlaps);
  return {
    averageOverlap: overlaps.reduce((sum, overlap) => sum + overlap, 0) / overlaps.length,
    successRate50: curve[50]!,
    successRate75: curve[75]!,
  };
}

/** Share of frames with an overlap above each of {@link GOT10K_THRESHOLDS}. */
export function got10kCurve(overlaps: readonly number[]): number[] {
  return GOT10K_THRESHOLDS.map(
    (threshold) => overlaps.filter((overlap) => overlap > threshold).length / overlaps.length,
  );
}

/**
 * The scores as the benchmark's server averages them: of the frames of each class, then over the classes with equal
 * weight (mAO).
 */
export function got10kClassScores(sequences: readonly { label: string; overlaps: readonly number[] }[]): Got10kScores {
  const classes = [...groupBy(sequences, ({ label }) => label).values()];
  const scores = classes.map((members) => got10kScores(members.flatMap(({ overlaps }) => overlaps)));
  const mean = (key: keyof Got10kScores) => scores.reduce((sum, score) => sum + score[key], 0) / scores.length;
  return {
    averageOverlap: mean('averageOverlap'),
    successRate50: mean('successRate50'),
    successRate75: mean('successRate75'),
  };
}
