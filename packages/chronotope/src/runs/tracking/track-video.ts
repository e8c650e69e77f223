import { frames, probe } from '@chronotope/video';
import type { Box } from '../../data/manifest.js';
import { imageTensor } from '../../data/tracking-sequences.js';
import { SiamFCTracker } from '../../methods/siamfc/tracker.js';
import { interrupted } from '../../training/fit.js';
import { writeJsonAtomic } from '../../training/json-files.js';
import { type Progress, silentProgress } from '../../training/progress.js';
import { openTracker, type TrackerSpeed, withConvolutions } from './open-tracker.js';
import { type BoxedPicture, writeBoxedVideo } from './tracking-video.js';

/** Settings of {@link trackVideo}. */
export interface TrackVideoOptions extends TrackerSpeed {
  /** Where the object is in the first frame, in pixels of the video as displayed, the top left pixel at (1, 1). */
  box: Box;
  /** The video with the box; its ending chooses the container. The boxes go beside it, ending in `.json`. */
  out: string;
  progress?: Progress;
  signal?: AbortSignal;
}

/** Where an object was in a video. */
export interface VideoTrack {
  video: string;
  /** The files that were written. */
  out: { video: string; boxes: string };
  /** Frames that the tracker looked at in a second, without decoding and encoding. */
  framesPerSecond: number;
  /** One entry a frame; `time` in seconds from the start. */
  frames: { time: number; box: Box }[];
}

/** Of a video that states no frame rate. */
const DEFAULT_FPS = 25;

/**
 * Follows an object through a video from its box in the first frame, and writes the video with the box drawn in, and the
 * boxes as JSON.
 *
 * @throws ChronotopeError those of `openTracker`; `box-empty`, `box-outside`, `interrupted`; VideoError of decoding and
 *   encoding
 */
export async function trackVideo(run: string, video: string, options: TrackVideoOptions): Promise<VideoTrack> {
  const { box, out, progress = silentProgress, signal } = options;
  const info = await probe(video, { signal });
  const { network, settings } = openTracker(run);
  const fps = info.averageFrameRate || DEFAULT_FPS;
  const task = progress.begin('tracking', info.frameCount ?? Math.round(fps * (info.duration ?? 0)), 'frames');
  const found: VideoTrack['frames'] = [];
  let tracker: SiamFCTracker | undefined;
  let milliseconds = 0;
  async function* boxed(): AsyncGenerator<BoxedPicture> {
    for await (const frame of frames(video, { info, signal, truncated: 'accept' })) {
      if (signal?.aborted) throw interrupted();
      const image = imageTensor(frame);
      const started = performance.now();
      if (tracker === undefined) tracker = new SiamFCTracker(network, settings, image, box);
      else tracker.update(image);
      milliseconds += performance.now() - started;
      image.dispose();
      found.push({ time: frame.timestamp, box: tracker.box });
      task.update(found.length);
      yield { picture: frame, tracked: tracker.box };
    }
  }
  try {
    const { height, width } = info;
    await withConvolutions(options, () => writeBoxedVideo(out, boxed(), { height, width, fps, signal }));
  } finally {
    tracker?.dispose();
    network.dispose();
  }
  const boxes = out.replace(/\.\w+$/, '.json');
  const framesPerSecond = (1000 * found.length) / milliseconds;
  const track = { video, out: { video: out, boxes }, framesPerSecond, frames: found };
  writeJsonAtomic(boxes, track);
  task.end(`${framesPerSecond.toFixed(1)} frames/s`);
  return track;
}
