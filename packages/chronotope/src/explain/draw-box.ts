import type { Box } from '../data/manifest.js';

/** Red, green and blue, 0 to 255. */
export type LineColour = readonly [red: number, green: number, blue: number];

/** The colours of a tracked box and of the true one. */
export const BOX_COLOURS = { tracked: [255, 60, 30], truth: [60, 220, 90] } as const satisfies Record<
  string,
  LineColour
>;

/**
 * Draws the outline of a box into a picture, uint8 R,G,B row by row; what lies outside is not drawn. Lines are inside the
 * box, thicker in larger pictures.
 *
 * @param box `[x, y, width, height]` with the top left pixel at (1, 1)
 */
export function drawBox(
  picture: { data: Uint8Array; height: number; width: number },
  [x, y, width, height]: Box,
  colour: LineColour,
): void {
  const thickness = Math.max(1, Math.round(Math.min(picture.height, picture.width) / 160));
  const [left, top] = [Math.round(x - 1), Math.round(y - 1)];
  const [right, bottom] = [Math.round(x - 1 + width), Math.round(y - 1 + height)];
  fill(picture, [left, top, right, top + thickness], colour);
  fill(picture, [left, bottom - thickness, right, bottom], colour);
  fill(picture, [left, top, left + thickness, bottom], colour);
  fill(picture, [right - thickness, top, right, bottom], colour);
}

/** @param area left, top, right and bottom; the last two are beyond it */
function fill(
  { data, height, width }: { data: Uint8Array; height: number; width: number },
  [left, top, right, bottom]: readonly [number, number, number, number],
  colour: LineColour,
): void {
  for (let row = Math.max(0, top); row < Math.min(height, bottom); row++) {
    for (let column = Math.max(0, left); column < Math.min(width, right); column++) {
      data.set(colour, (row * width + column) * 3);
    }
  }
}
