import type { Box } from '../../data/manifest.js';
import type { ImageSize } from './boxes.js';
import { type Got10kScores, got10kClassScores, got10kCurve, got10kOverlaps, got10kScores } from './got10k.js';
import { meanCurves, type OtbCurves, type OtbScores, otbCurves, otbScores } from './otb.js';

/** What a tracker found in a sequence, beside the truth. */
export interface TrackedSequence {
  id: string;
  label: string | null;
  /** One box a frame, the first as given. */
  predicted: readonly Box[];
  truth: readonly Box[];
  image: ImageSize;
  cover?: readonly number[];
}

/** The scores of one sequence. */
export interface SequenceScores {
  id: string;
  frames: number;
  otb: OtbScores;
  got10k: Got10kScores;
}

/** How well a tracker follows, by the rules of both benchmarks. */
export interface TrackingScores {
  /** Mean of the sequences. */
  otb: OtbScores;
  otbCurves: OtbCurves;
  /** All frames of all sequences together. */
  got10k: Got10kScores;
  got10kCurve: number[];
  /** Mean of the classes; null where the classes are not known. */
  got10kClasses: Got10kScores | null;
  sequences: SequenceScores[];
}

/** The scores of a tracker on at least one sequence. Boxes count with three decimals, as the benchmarks store them. */
export function trackingScores(tracked: readonly TrackedSequence[]): TrackingScores {
  const sequences = tracked.map(({ predicted, truth, ...sequence }) => {
    const boxes = predicted.map(withThreeDecimals);
    const overlaps = got10kOverlaps({ ...sequence, predicted: boxes, truth });
    return { ...sequence, frames: truth.length, curves: otbCurves(boxes, truth), overlaps };
  });
  const curves = meanCurves(sequences.map((sequence) => sequence.curves));
  const overlaps = sequences.flatMap((sequence) => sequence.overlaps);
  const labelled = sequences.flatMap(({ label, overlaps }) => (label === null ? [] : [{ label, overlaps }]));
  return {
    otb: otbScores(curves),
    otbCurves: curves,
    got10k: got10kScores(overlaps),
    got10kCurve: got10kCurve(overlaps),
    got10kClasses: labelled.length === sequences.length ? got10kClassScores(labelled) : null,
    sequences: sequences.map((sequence) => ({
      id: sequence.id,
      frames: sequence.frames,
      otb: otbScores(sequence.curves),
      got10k: got10kScores(sequence.overlaps),
    })),
  };
}

/** A box as the benchmarks' result files hold it. */
export function withThreeDecimals(box: Box): Box {
  return box.map((value) => Number(value.toFixed(3))) as Box;
}
