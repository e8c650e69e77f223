import type { Box } from '../../data/manifest.js';
import type { RandomStream } from '../../random.js';

/** Frames of a pair are less than this far apart, if 100 draws find such ones. */
const LARGEST_DISTANCE = 100;
const MOST_DRAWS = 100;

/**
 * The frames of a sequence that can be trained with (SiamFC's official filter): boxes of at least 20 square pixels with
 * sides of 20 to 500 pixels and 1 to 50 % of the image's, not more than four times as long as wide or the reverse, of
 * objects that are visible enough for their sequence.
 *
 * @param sequence.cover how much of the object is visible, 0 to 8; by default that is not looked at
 * @returns frame numbers from 0
 */
export function usableFrames(
  { boxes, cover }: { boxes: readonly Box[]; cover?: readonly number[] },
  image: { height: number; width: number },
): number[] {
  const leastCover = cover === undefined ? 0 : Math.max(1, 0.3 * cover.reduce((a, b) => Math.max(a, b), 0));
  return boxes.flatMap(([, , width, height], frame) => {
    const shares = [width / image.width, height / image.height];
    const isUsable =
      width * height >= 20 &&
      [width, height].every((side) => side >= 20 && side <= 500) &&
      shares.every((share) => share >= 0.01 && share <= 0.5) &&
      width / height >= 0.25 &&
      width / height <= 4 &&
      (cover === undefined || cover[frame]! > leastCover);
    return isUsable ? [frame] : [];
  });
}

/**
 * Draws the exemplar's and the search image's frame, in order of time and less than 100 frames apart.
 *
 * @param usable at least two frame numbers in ascending order
 */
export function drawPair(usable: readonly number[], random: RandomStream): [exemplar: number, search: number] {
  if (usable.length === 2) return [usable[0]!, usable[1]!];
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const first = random.int(usable.length);
    const other = random.int(usable.length - 1);
    const second = other < first ? other : other + 1;
    const [earlier, later] = [usable[Math.min(first, second)]!, usable[Math.max(first, second)]!];
    if (later - earlier < LARGEST_DISTANCE) return [earlier, later];
  }
  const frame = usable[random.int(usable.length)]!;
  return [frame, frame];
}
