import { createHash } from 'node:crypto';
import { type Tensor, tensor } from '@chronotope/torch';

/** `[left, top, width, height]`, counted from 0. */
export type Rectangle = readonly [left: number, top: number, width: number, height: number];

/**
 * The image of the golden files: a texture by formula with a bright bump in a rectangle, if one is given.
 *
 * @returns uint8 `[height, width, 3]`
 */
export function goldenImage(height: number, width: number, target?: Rectangle): Uint8Array {
  const pixels = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bump = target === undefined ? null : bumpAt(x, y, target);
      for (let c = 0; c < 3; c++) {
        const background = 64 + ((3 * x + 5 * y + 40 * c + (Math.floor((x * y) / 7) % 11)) % 64);
        pixels[(y * width + x) * 3 + c] =
          bump === null ? background : [250 - bump, 20 + Math.floor(bump / 2), 230 - Math.floor(bump / 3)][c]!;
      }
    }
  }
  return pixels;
}

function bumpAt(x: number, y: number, [bx, by, bw, bh]: Rectangle): number | null {
  if (x < bx || x >= bx + bw || y < by || y >= by + bh) return null;
  const d = (2 * (x - bx) - bw + 1) ** 2 * bh ** 2 + (2 * (y - by) - bh + 1) ** 2 * bw ** 2;
  return Math.floor((190 * d) / (2 * bw ** 2 * bh ** 2));
}

/** As a tensor `[height, width, 3]`. */
export function imageTensor(pixels: Uint8Array, height: number, width: number): Tensor {
  return tensor(pixels, { shape: [height, width, 3] });
}

/** The hash that the golden files give of their images. */
export function sha256(pixels: Uint8Array): string {
  return createHash('sha256').update(pixels).digest('hex');
}
