import { setImmediate } from 'node:timers/promises';
import type { Tensor } from '@chronotope/torch';
import type { Box } from '../../data/manifest.js';
import { interrupted } from '../../training/fit.js';
import type { TrackerSettings } from './settings.js';
import { SiamFCTracker, type TrackingNetwork } from './tracker.js';

/** The place of an object in each frame of a sequence. */
export interface Track {
  /** One box a frame; the first is the given one. */
  boxes: Box[];
  /** What the tracker took for each frame, without waiting for the image; for the first, to look at the object. */
  seconds: number[];
}

/**
 * Follows an object through images from its box in the first one (one-pass evaluation). Between frames the event loop
 * runs, so that Ctrl-C is seen.
 *
 * @param images uint8 `[H, W, 3]` in order, at least one; freed when they have been looked at
 * @throws ChronotopeError `interrupted` when the signal aborts; `box-empty`, `box-outside`
 */
export async function trackSequence(
  network: TrackingNetwork,
  settings: TrackerSettings,
  images: Iterable<Tensor>,
  first: Box,
  signal?: AbortSignal,
): Promise<Track> {
  let tracker: SiamFCTracker | undefined;
  const boxes: Box[] = [];
  const seconds: number[] = [];
  try {
    for (const image of images) {
      const started = performance.now();
      if (tracker === undefined) {
        tracker = new SiamFCTracker(network, settings, image, first);
        boxes.push(first);
      } else {
        boxes.push(tracker.update(image).box);
      }
      seconds.push((performance.now() - started) / 1000);
      image.dispose();
      await setImmediate();
      if (signal?.aborted) throw interrupted();
    }
  } finally {
    tracker?.dispose();
  }
  return { boxes, seconds };
}
