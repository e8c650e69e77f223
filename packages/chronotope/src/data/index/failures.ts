import { VideoError, type VideoErrorCode } from '@chronotope/video';
import type { Failure } from './facts.js';

/** These are not about the file, so no verdict on it follows from them. */
const notAboutTheFile: readonly VideoErrorCode[] = ['aborted', 'ffmpeg-missing', 'invalid-argument', 'disk-full'];

/** What `read` gives, or why the file cannot be used; other errors are passed on. */
export async function orFailure<T>(read: () => Promise<T>): Promise<T | { failure: Failure }> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof VideoError) || notAboutTheFile.includes(error.code)) throw error;
    return { failure: { code: error.code, reason: error.reason, hint: error.hint } };
  }
}
