/**
 * Why an operation on a video failed.
 *
 * About the file: `not-found`, `not-a-file` (a folder, a pipe), `unreadable` (permissions), `empty-file` (zero bytes),
 * `no-video-stream`, `undecodable`, `truncated` (clearly less video than the header states, or the header itself is cut
 * off), `too-short` (for a clip).
 * About the run: `timeout`, `aborted`, `ffmpeg-missing`, `encode-failed`, `disk-full`, `unwritable`, `invalid-argument`, `ambiguous-store`.
 */
export type VideoErrorCode =
  | 'not-found'
  | 'not-a-file'
  | 'unreadable'
  | 'empty-file'
  | 'no-video-stream'
  | 'undecodable'
  | 'truncated'
  | 'too-short'
  | 'timeout'
  | 'aborted'
  | 'ffmpeg-missing'
  | 'encode-failed'
  | 'disk-full'
  | 'unwritable'
  | 'invalid-argument'
  | 'ambiguous-store';

/** What a {@link VideoError} is made of. */
export interface VideoErrorFields {
  code: VideoErrorCode;
  /** The file or folder that is wrong, where there is one. */
  path?: string;
  /** What went wrong, in one sentence, without the path. */
  reason: string;
  /** What to do next. */
  hint: string;
  cause?: unknown;
}

/** Every error this package throws on purpose: says which file, why (`code`, `reason`) and what to do (`hint`). */
export class VideoError extends Error {
  override readonly name = 'VideoError';
  readonly code: VideoErrorCode;
  readonly path: string | null;
  readonly reason: string;
  readonly hint: string;

  constructor({ code, path, reason, hint, cause }: VideoErrorFields) {
    super(path === undefined ? `${reason} ${hint}` : `${path}: ${reason} ${hint}`, { cause });
    this.code = code;
    this.path = path ?? null;
    this.reason = reason;
    this.hint = hint;
  }
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
