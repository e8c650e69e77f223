/**
 * Why an operation on a video failed.
 *
 * About the file: `not-found`, `not-a-file` (a folder, a pipe), `unreadable` (permissions), `empty-file` (zero bytes),
 * `not-a-video` (no format that FFmpeg knows, or a playlist of other files), `no-video-stream` (sound only),
 * `undecodable` (not a single frame), `truncated` (clearly less video than the header states, or the header itself is
 * cut off), `too-short` (the asked clip does not fit).
 * About the run: `timeout`, `aborted`, `ffmpeg-missing`, `ffmpeg-too-old`, `encode-failed`, `disk-full`, `unwritable`,
 * `invalid-argument`, `ambiguous-store`, `damaged-store` (frames of a store that were lost or altered since).
 */
export type VideoErrorCode =
  | 'not-found'
  | 'not-a-file'
  | 'unreadable'
  | 'empty-file'
  | 'not-a-video'
  | 'no-video-stream'
  | 'undecodable'
  | 'truncated'
  | 'too-short'
  | 'timeout'
  | 'aborted'
  | 'ffmpeg-missing'
  | 'ffmpeg-too-old'
  | 'encode-failed'
  | 'disk-full'
  | 'unwritable'
  | 'invalid-argument'
  | 'ambiguous-store'
  | 'damaged-store';

/** How far decoding came. */
export interface VideoPosition {
  /** Frames that were decoded; the frame with this number (from 0) is the first that is missing or damaged. */
  frame: number;
  /** Seconds from the start of the video up to which it could be decoded. */
  seconds: number;
}

/** What a {@link VideoError} is made of. */
export interface VideoErrorFields {
  code: VideoErrorCode;
  /** The file or folder that is wrong, where there is one. */
  path?: string;
  /** What went wrong, in one sentence, without the path. */
  reason: string;
  /** What to do next. */
  hint: string;
  /** How far decoding came, for errors that end it. */
  position?: VideoPosition;
  cause?: unknown;
}

/** Every error this package throws on purpose: says which file, why (`code`, `reason`) and what to do (`hint`). */
export class VideoError extends Error {
  override readonly name = 'VideoError';
  readonly code: VideoErrorCode;
  readonly path: string | null;
  readonly reason: string;
  readonly hint: string;
  readonly position: VideoPosition | null;

  constructor({ code, path, reason, hint, position, cause }: VideoErrorFields) {
    super(path === undefined ? `${reason} ${hint}` : `${path}: ${reason} ${hint}`, { cause });
    this.code = code;
    this.path = path ?? null;
    this.reason = reason;
    this.hint = hint;
    this.position = position ?? null;
  }
}

/** The same error with the place where it happened, unless it has one. */
export function withPosition(error: VideoError, position: VideoPosition): VideoError {
  const { code, path, reason, hint, cause } = error;
  if (error.position !== null) return error;
  return new VideoError({ code, path: path ?? undefined, reason, hint, position, cause });
}

/** The error for a mistake of the caller. */
export function invalidArgument(reason: string, hint: string): VideoError {
  return new VideoError({ code: 'invalid-argument', reason, hint });
}

/** The `code` of a Node.js system error (`ENOENT`, `ENOSPC`, ...), or undefined for any other value. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The `disk-full` error for a file or folder that could not be written. */
export function diskFullError(path: string, cause?: unknown): VideoError {
  return new VideoError({
    code: 'disk-full',
    path,
    reason: 'The disk is full.',
    hint: 'Free some space or choose a folder on another disk; what was already stored is kept.',
    cause,
  });
}

/** Whether a write failed because the disk, or this user's share of it, is full. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(systemErrorCode(error) ?? '');
}
