/**
 * The words nearest to what was typed: those with the fewest slips of the keyboard (letters left out, put in, changed, or
 * two swapped), or, where none is near, those that begin so. A word without a dot is compared with the last parts of dotted
 * keys as well.
 *
 * @param most how many to give at most
 */
export function nearest(typed: string, words: readonly string[], most = 3): string[] {
  const tolerance = Math.min(3, Math.max(1, Math.floor(typed.length / 3)));
  const lastPart = (word: string) => word.slice(word.lastIndexOf('.') + 1);
  const distance = (word: string) => Math.min(slips(typed, word), slips(typed, lastPart(word)));
  const candidates = words.map((word) => ({ word, slips: distance(word) }));
  const least = Math.min(...candidates.map((candidate) => candidate.slips));
  if (least > tolerance) {
    const beginsSo = (word: string) => word.startsWith(typed) || lastPart(word).startsWith(typed);
    return typed.length < 3 ? [] : words.filter(beginsSo).slice(0, most);
  }
  return candidates
    .filter((candidate) => candidate.slips === least)
    .slice(0, most)
    .map(({ word }) => word);
}

/** `did you mean a or b?`, or undefined where nothing is near. */
export function didYouMean(typed: string, words: readonly string[]): string | undefined {
  const near = nearest(typed, words);
  return near.length === 0 ? undefined : `did you mean ${near.join(' or ')}?`;
}

/** Optimal string alignment distance (Damerau and Levenshtein): how many slips lie between two words. */
function slips(a: string, b: string): number {
  let twoAbove: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(changed, above[j]! + 1, row[j - 1]! + 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, twoAbove[j - 2]! + 1);
    }
    [twoAbove, above] = [above, row];
  }
  return above[b.length]!;
}
