import { type Tensor, tensor } from '@chronotope/torch';

/** Which places of a response are the object; distances are L1, in places. */
export interface LabelOptions {
  /** Places up to here from the object's are positive. */
  positive: number;
  /** Places beyond `positive` and up to here count neither way: 0.5. Default 0: there are none. */
  ignored?: number;
  /** Where the object is, relative to the middle. Default [0, 0]. */
  centre?: readonly [x: number, y: number];
}

/**
 * The label map of a response, float32 `[height, width]`: 1 where the object is, else 0. Maps of an even size have no
 * middle place: there the distance counts from between the places, which leaves 12 positive places instead of 13.
 */
export function labelMap(
  height: number,
  width: number,
  { positive, ignored = 0, centre = [0, 0] }: LabelOptions,
): Tensor {
  const values = new Float32Array(height * width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const x = column - (width - 1) / 2 - centre[0];
      const y = row - (height - 1) / 2 - centre[1];
      const distance = Math.abs(x) + Math.abs(y);
      values[row * width + column] = distance <= positive ? 1 : distance < ignored ? 0.5 : 0;
    }
  }
  return tensor(values, { shape: [height, width] });
}
