import { VideoError } from './errors.js';
import { type PictureJob, startOnThread } from './picture-thread.js';

/** Frames of a video that is stored as JPEG. */
export interface PictureRequest {
  /** File of pictures. */
  file: string;
  /** Where each picture begins in the file, and where the last one ends. */
  offsets: Float64Array;
  /** Numbers of the wanted frames, in the wanted order; a frame may occur more than once. */
  frames: readonly number[];
}

/** Milliseconds that reading one batch may take. */
const readingTimeoutMs = 300_000;

/**
 * Decodes frames of stored videos that have one size, on another thread, and waits for them. A frame that is wanted
 * several times, also by several requests, is decoded once.
 *
 * @returns uint8 R,G,B, `[frames of all requests, height, width, 3]`
 *
 * Throws {@link VideoError} `damaged-store` with the path of the file, `timeout`, `invalid-argument` (no such frame).
 */
export function readPictures(
  requests: readonly PictureRequest[],
  { height, width }: { height: number; width: number },
): Uint8Array {
  const files = new Map<string, Map<number, PictureJob>>();
  let place = 0;
  for (const { file, offsets, frames } of requests) {
    const jobs = files.get(file) ?? new Map<number, PictureJob>();
    files.set(file, jobs);
    for (const frame of frames) {
      const job = jobs.get(frame) ?? { ...range(file, offsets, frame), places: [] };
      jobs.set(frame, job);
      job.places.push(place++);
    }
  }
  const inOrder = [...files].map(([file, jobs]) => {
    return { file, jobs: [...jobs.values()].sort((a, b) => a.offset - b.offset) };
  });
  const path = requests[0]?.file ?? '';
  const task = { kind: 'pictures', height, width, frames: place, files: inOrder } as const;
  const result = startOnThread(task, { path, timeoutMs: readingTimeoutMs })();
  if (result.failure === null) return result.pixels!;
  const { file, reason } = result.failure;
  throw new VideoError({
    code: 'damaged-store',
    path: file,
    reason: `Stored frames cannot be read (${reason}).`,
    hint: 'Build the frame store again; `chronotope cache verify` finds everything that is damaged.',
  });
}

function range(file: string, offsets: Float64Array, frame: number): { offset: number; bytes: number } {
  const [offset, end] = [offsets[frame], offsets[frame + 1]];
  if (offset !== undefined && end !== undefined) return { offset, bytes: end - offset };
  throw new VideoError({
    code: 'invalid-argument',
    path: file,
    reason: `There is no frame ${frame}: ${offsets.length - 1} frames are stored.`,
    hint: 'Frames count from 0.',
  });
}
