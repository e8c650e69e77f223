/** Modules print as PyTorch prints them, so that two networks can be compared as text. These are Python's spellings. */

/** A truth value in Python's spelling. */
export function pyBool(value: boolean): string {
  return value ? 'True' : 'False';
}

/** A number that Python holds as a float: `1.0`, `1e-05`. */
export function pyFloat(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-4) {
    return value.toExponential().replace(/e-(\d)$/, 'e-0$1');
  }
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** One integer, or a tuple of them: `3`, `(3,)`, `(1, 3, 3)`. */
export function pyInts(value: number | readonly number[]): string {
  if (typeof value === 'number') {
    return String(value);
  }
  return value.length === 1 ? `(${value[0]},)` : `(${value.join(', ')})`;
}
