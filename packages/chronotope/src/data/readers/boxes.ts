import type { Box } from '../manifest.js';
import { listLines, malformed } from './lines.js';

/**
 * Reads the boxes of a tracking sequence: a line a frame, `x y width height` in pixels, separated by commas, tabs or
 * blanks, which may change from line to line.
 *
 * @throws ChronotopeError `malformed-line`, `list-unreadable`
 */
export function readBoxes(file: string): Box[] {
  return listLines(file).map(({ text, number }) => {
    const values = text.split(/\s*,\s*|\s+/).map(Number);
    if (values.length !== 4 || !values.every(Number.isFinite)) {
      throw malformed(file, number, `expected four numbers, "x, y, width, height", got "${text}"`);
    }
    const [x, y, width, height] = values as Box;
    if (width < 0 || height < 0) {
      throw malformed(file, number, `expected a width and a height of 0 or more, got ${width} and ${height}`);
    }
    return [x, y, width, height];
  });
}
