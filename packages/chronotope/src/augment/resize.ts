import { cat, scope, type Tensor, tensor } from '@chronotope/torch';
import type { Box } from './draw.js';

/** The crop of one clip and whether its output is mirrored. */
export interface CropAndFlip {
  crop: Box;
  flip: boolean;
}

/**
 * Float bytes of source frames worked on at a time: small enough for a core's cache, and a bound on memory where the
 * source is large.
 */
const CHUNK_BYTES = 1 << 20;

/**
 * Crops, resizes and mirrors a batch of clips, each in its own way, as two batched matrix products: bilinear
 * interpolation is separable, so the rows and the columns of a frame are each mixed by one matrix a clip, and a mirror
 * image is a matrix with its rows in reverse.
 *
 * The result is Pillow's anti-aliased `BILINEAR` resize of the cropped frame without its rounding to 8 bits.
 *
 * @param frames uint8 [N, T, H, W, 3] on any device
 * @param crops one for each clip
 * @param size side S of the square output in pixels
 * @returns float32 [N, 3, T, S, S] in [0, 1], on the device of the frames
 */
export function resizedCrops(frames: Tensor, crops: readonly CropAndFlip[], size: number): Tensor {
  const [clips, length, height, width] = frames.shape as [number, number, number, number];
  const rowMatrices = interpolationMatrices(
    crops.map(({ crop }) => ({ start: crop.top, length: crop.height, reversed: false })),
    height,
    size,
  );
  const columnMatrices = interpolationMatrices(
    crops.map(({ crop, flip }) => ({ start: crop.left, length: crop.width, reversed: flip })),
    width,
    size,
  );
  return scope(() => {
    const { device } = frames;
    const rows = tensor(rowMatrices, { shape: [clips, size, height], device });
    const columns = tensor(columnMatrices, { shape: [clips, size, width], device }).transpose(1, 2);
    const perChunk = Math.max(1, Math.floor(CHUNK_BYTES / (length * height * width * 3 * 4)));
    const chunks: Tensor[] = [];
    for (let start = 0; start < clips; start += perChunk) {
      const count = Math.min(perChunk, clips - start);
      chunks.push(
        scope(() =>
          resizeChunk(frames.narrow(0, start, count), rows.narrow(0, start, count), columns.narrow(0, start, count)),
        ),
      );
    }
    return chunks.length === 1 ? chunks[0]! : cat(chunks);
  });
}

/**
 * @param frames uint8 [n, T, H, W, 3]
 * @param rows float32 [n, S, H]
 * @param columns float32 [n, W, S]
 * @returns float32 [n, 3, T, S, S] in [0, 1]
 */
function resizeChunk(frames: Tensor, rows: Tensor, columns: Tensor): Tensor {
  const [n, length, height, width] = frames.shape as [number, number, number, number];
  const size = rows.shape[1]!;
  // Rows first: their product needs the frames with H in front, which costs nothing because the conversion to float
  // writes every value anyway.
  const source = frames
    .permute([0, 2, 1, 3, 4])
    .contiguous()
    .to({ dtype: 'float32' })
    .view([n, height, length * width * 3]);
  const shorter = rows.bmm(source).view([n, size, length, width, 3]);
  const planes = shorter
    .permute([0, 4, 2, 1, 3])
    .contiguous()
    .view([n, 3 * length * size, width]);
  return planes.bmm(columns).div_(255).clamp_({ min: 0, max: 1 }).view([n, 3, length, size, size]);
}

/** A stretch of one axis that becomes the whole output axis. */
interface AxisCrop {
  start: number;
  length: number;
  reversed: boolean;
}

/**
 * The matrices that crop and resize one axis, one for each clip: Pillow's triangle filter, as wide as one source pixel
 * when enlarging and as one output pixel when reducing, cut at the border of the crop. What a crop has beyond the end of
 * the source counts as black; elsewhere every row sums to 1.
 *
 * @param sourceSize pixels of the source axis
 * @param size pixels of the output axis
 * @returns [clips, size, sourceSize], row-major
 */
export function interpolationMatrices(crops: readonly AxisCrop[], sourceSize: number, size: number): Float32Array {
  const matrices = new Float32Array(crops.length * size * sourceSize);
  crops.forEach(({ start, length, reversed }, clip) => {
    const scale = length / size;
    const support = Math.max(1, scale);
    for (let i = 0; i < size; i++) {
      const centre = (i + 0.5) * scale;
      const first = Math.max(0, Math.trunc(centre - support + 0.5));
      const end = Math.min(length, Math.trunc(centre + support + 0.5));
      const weight = (k: number): number => Math.max(0, 1 - Math.abs((k + 0.5 - centre) / support));
      let sum = 0;
      for (let k = first; k < end; k++) {
        sum += weight(k);
      }
      const row = (clip * size + (reversed ? size - 1 - i : i)) * sourceSize;
      for (let k = first; k < end && start + k < sourceSize; k++) {
        matrices[row + start + k] = weight(k) / sum;
      }
    }
  });
  return matrices;
}
