import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { VideoError } from './errors.js';
import type { BuildFrameStoreOptions } from './frame-store-options.js';
import type { SourceVideo } from './source-video.js';

/** A picture to decode: the bytes of a file it takes, and where in the pixels it goes, as frame numbers. */
export interface PictureJob {
  offset: number;
  bytes: number;
  places: number[];
}

/** What the thread can be asked for. */
export type ThreadTask =
  | {
      kind: 'pictures';
      height: number;
      width: number;
      /** Number of places to fill. */
      frames: number;
      files: { file: string; jobs: PictureJob[] }[];
    }
  | { kind: 'images'; files: readonly string[]; sizesOnly: boolean }
  | { kind: 'rebuild'; dir: string; video: SourceVideo; options: BuildFrameStoreOptions };

/**
 * How a task ended: pixels uint8 R,G,B, `[frames, height, width, 3]` (of image files one after the other, with the sizes),
 * if any, or what was wrong with which file.
 */
export type ThreadResult =
  | { failure: null; pixels: Uint8Array<ArrayBuffer> | null; sizes?: { height: number; width: number }[] }
  | { failure: { file: string; reason: string } };

/** What is sent to the thread. */
export interface ThreadRequest {
  task: ThreadTask;
  /** int32 `[1]`, shared; becomes 1 when the result has been sent. */
  done: Int32Array;
  port: MessagePort;
}

let thread: Worker | null = null;

/**
 * Starts a task on another thread and returns a function that waits for its end. Waiting blocks the caller, so that
 * reading frames is an ordinary function call whichever way they are stored; sharp itself can only be used
 * asynchronously. Between start and wait the caller may work on something else.
 *
 * The waiting function throws {@link VideoError} `timeout` when nothing happens for `timeoutMs`.
 */
export function startOnThread(task: ThreadTask, { path, timeoutMs }: { path: string; timeoutMs: number }) {
  thread ??= startThread();
  const done = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const request: ThreadRequest = { task, done, port: port2 };
  thread.postMessage(request, [port2]);
  return (): ThreadResult => {
    const outcome = Atomics.wait(done, 0, 0, timeoutMs);
    const received = receiveMessageOnPort(port1) as { message: ThreadResult } | undefined;
    port1.close();
    if (outcome !== 'timed-out' && received !== undefined) return received.message;
    throw new VideoError({
      code: 'timeout',
      path,
      reason: `The frames were not ready within ${timeoutMs / 1000} s.`,
      hint: 'The disk may be slow or gone; try again.',
    });
  };
}

function startThread(): Worker {
  const worker = new Worker(new URL('./picture-thread-main.js', import.meta.url));
  // It must not keep the process alive.
  worker.unref();
  worker.once('exit', () => {
    thread = null;
  });
  return worker;
}
