/** Set-up cannot go on. `remedy` is what the user does about it, as lines. */
export class SetupError extends Error {
  constructor(message, remedy = []) {
    super(message);
    this.name = 'SetupError';
    this.remedy = remedy;
  }
}

/**
 * Prints the progress of set-up on stderr, so that stdout belongs to the command that follows it.
 * `present` reports what needs no work and is silent with `quiet`; `doing` and `done` frame work; `warn` warns.
 */
export function progressPrinter({ quiet }) {
  const print = (mark, text) => process.stderr.write(`  ${mark} ${text}\n`);
  return {
    present: (text) => !quiet && print('ok', text),
    doing: (text) => print('..', text),
    done: (text, started) => print('ok', `${text} (${seconds(performance.now() - started)})`),
    warn: (text, remedy = []) => {
      print('!!', text);
      for (const line of remedy) print('  ', line);
    },
  };
}

export const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;
