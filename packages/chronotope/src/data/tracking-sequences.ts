import { type Tensor, tensor } from '@chronotope/torch';
import { imageSizes, type Picture, startReadingImages } from '@chronotope/video';
import { ChronotopeError } from '../errors.js';
import { type Box, framePaths, type ManifestEntry } from './manifest.js';

/** A sequence of images with the place of one object. */
export interface TrackingSequence {
  id: string;
  /** The object's class, if it is known. */
  label: string | null;
  /** Image files in order. */
  frames: string[];
  /** Where the object is, one box a frame; of a sequence whose truth is secret only the first. */
  boxes: Box[];
  /** How much of the object is visible in each frame, 0 to 8, if that is known. */
  cover?: number[];
  attributes?: string[];
}

/**
 * The tracking sequences among the entries of a data set.
 *
 * @throws ChronotopeError `no-sequences` when there are none
 */
export function trackingSequences(entries: readonly ManifestEntry[], source: string): TrackingSequence[] {
  const sequences = entries.flatMap((entry): TrackingSequence[] => {
    const { id, label, tracking } = entry;
    return tracking === undefined ? [] : [{ id, label, frames: framePaths(entry), ...tracking }];
  });
  if (sequences.length > 0) return sequences;
  throw new ChronotopeError('no-sequences', `${source} has no images with boxes of an object`, {
    hint: 'Give a folder in the layout of GOT-10k or OTB, or a manifest with "frames" and "tracking": docs/tracking.md.',
  });
}

/** Width and height of the first image of each sequence, which all its images share. */
export function sequenceSizes(sequences: readonly TrackingSequence[]): { height: number; width: number }[] {
  return imageSizes(sequences.map(({ frames }) => frames[0]!));
}

/** Starts decoding images, and returns a function that waits for them: uint8 `[H, W, 3]` each. */
export function startReadingFrames(files: readonly string[]): () => Tensor[] {
  const wait = startReadingImages(files);
  return () => wait().map(imageTensor);
}

/**
 * The images of a sequence one by one, each decoded while its predecessor is used. The caller frees them.
 *
 * @returns uint8 `[H, W, 3]` each
 */
export function* sequenceFrames({ frames }: Pick<TrackingSequence, 'frames'>): Generator<Tensor> {
  let wait = startReadingFrames(frames.slice(0, 1));
  for (let frame = 0; frame < frames.length; frame++) {
    const [image] = wait();
    if (frame + 1 < frames.length) wait = startReadingFrames([frames[frame + 1]!]);
    yield image!;
  }
}

/** A picture as a tensor uint8 `[H, W, 3]`. */
export function imageTensor({ data, height, width }: Picture): Tensor {
  return tensor(data, { shape: [height, width, 3] });
}
