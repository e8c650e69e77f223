import { ChronotopeError } from '../errors.js';

/**
 * Rows and columns of square patches in images of a size in pixels.
 *
 * @throws ChronotopeError `patch-size` if the patches do not tile them
 */
export function patchGrid(
  [height, width]: readonly [height: number, width: number],
  patch: number,
): [rows: number, columns: number] {
  if (height >= patch && width >= patch && height % patch === 0 && width % patch === 0) {
    return [height / patch, width / patch];
  }
  throw new ChronotopeError('patch-size', `patches of ${patch} pixels do not tile images of ${height} x ${width}`, {
    hint: `use images whose height and width are multiples of ${patch}`,
    details: { height, width, patch },
  });
}
