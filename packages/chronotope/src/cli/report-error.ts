/** What the typed errors of all packages have in common. */
interface ExpectedError extends Error {
  code: string;
  hint?: string;
}

/** Exit codes, also documented in docs/command-line.md. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/**
 * Prints an error for people: what is wrong, then what to do. Errors that nobody expected show their stack, because
 * then the stack is what a bug report needs.
 *
 * @returns the exit code
 */
export function reportError(error: unknown, stream: NodeJS.WriteStream = process.stderr): number {
  if (isExpected(error)) {
    if (error.code === 'interrupted') {
      stream.write(`\nInterrupted. ${error.hint ?? ''}\n`);
      return EXIT.interrupted;
    }
    stream.write(`\nerror: ${error.message}\n`);
    // The messages of the video package end in their hint, for programs that print nothing else.
    if (error.hint && !error.message.endsWith(error.hint)) stream.write(`${error.hint}\n`);
    return EXIT.failed;
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  stream.write(`\nerror: this should not happen. Please report it with these lines:\n${detail}\n`);
  return EXIT.failed;
}

function isExpected(error: unknown): error is ExpectedError {
  return (
    error instanceof Error &&
    ['ChronotopeError', 'VideoError', 'TorchError'].includes(error.name) &&
    typeof (error as Partial<ExpectedError>).code === 'string'
  );
}
