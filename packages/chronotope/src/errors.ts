/** What a {@link ChronotopeError} carries besides its message. */
export interface ChronotopeErrorOptions {
  /** What to do next, one sentence addressed to the user. */
  hint?: string;
  /** Plain, JSON-able facts about the failure: the file, the line, the classes it names. */
  details?: Record<string, unknown>;
  /** The error underneath, if there is one. */
  cause?: unknown;
}

/**
 * An expected failure of the toolkit: wrong input, a missing file, a run folder from something else.
 *
 * The message says what is wrong and names the thing that is wrong; `hint` says what to do about it. The command line
 * prints both and no stack; programs branch on `code`.
 */
export class ChronotopeError extends Error {
  override readonly name = 'ChronotopeError';
  /** Stable identifier in kebab case, e.g. `folder-missing`, `class-without-labels`. */
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, { hint, details = {}, cause }: ChronotopeErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
    this.details = details;
  }
}
