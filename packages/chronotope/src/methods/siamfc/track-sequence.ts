import type { Tensor } from '@chronotope/torch';
import type { Box } from '../../data/manifest.js';
import type { TrackerSettings } from './settings.js';
import { SiamFCTracker, type TrackingNetwork } from './tracker.js';

/** The place of an object in each frame of a sequence. */
export interface Track {
  /** One box a frame; the first is the given one. */
  boxes: Box[];
  /** What the tracker took for all frames but the first, without waiting for the images. */
  seconds: number;
}

/**
 * Follows an object through images from its box in the first one (one-pass evaluation).
 *
 * @param images uint8 `[H, W, 3]` in order, at least one; freed when they have been looked at
 */
export function trackSequence(
  network: TrackingNetwork,
  settings: TrackerSettings,
  images: Iterable<Tensor>,
  first: Box,
): Track {
  let tracker: SiamFCTracker | undefined;
  const boxes: Box[] = [];
  let milliseconds = 0;
  try {
    for (const image of images) {
      if (tracker === undefined) {
        tracker = new SiamFCTracker(network, settings, image, first);
        boxes.push(first);
      } else {
        const started = performance.now();
        boxes.push(tracker.update(image).box);
        milliseconds += performance.now() - started;
      }
      image.dispose();
    }
  } finally {
    tracker?.dispose();
  }
  return { boxes, seconds: milliseconds / 1000 };
}
