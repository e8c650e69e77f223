import { TorchError } from '../errors.js';

/** Reason why a file is refused. What opened the file adds its name, see {@link ioError}. */
export class FormatError extends Error {
  override name = 'FormatError';
  readonly hint: string | undefined;

  constructor(reason: string, hint?: string) {
    super(reason);
    this.hint = hint;
  }
}

/** The error that the user gets for what went wrong with a file: the path, the reason, and what to do. */
export function ioError(path: string, format: string, error: unknown): unknown {
  if (error instanceof FormatError) {
    return new TorchError(`'${path}' is not a well-formed ${format} file: ${error.message}`, {
      code: 'io',
      hint: error.hint ?? 'the file is damaged, incomplete or of another format: copy or write it again',
    });
  }
  if (error instanceof Error && 'syscall' in error) {
    return new TorchError(`'${path}' could not be read or written: ${error.message}`, {
      code: 'io',
      hint: 'check the path, the permissions and the free space',
      cause: error,
    });
  }
  return error;
}
