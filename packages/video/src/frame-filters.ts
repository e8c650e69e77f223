// The filters that R2V2 was built with (VINCE, on which CCL trains): drop near-duplicates and title cards, cut borders.

/** Frames of one size: uint8, R, G, B, first frame and row first. */
export interface FrameBatch {
  data: Uint8Array;
  frames: number;
  height: number;
  width: number;
}

/** A part of the frames: rows [top, bottom) and columns [left, right). */
export interface Inside {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** How much a channel value must differ, of 255, and in what share of the values, for a frame to be another one. */
const SIMILAR = { levels: 10, share: 0.1 };

/**
 * The frames that differ from the last kept one; the first is always kept. Where no other does, the last frame is, so
 * that two remain.
 */
export function distinctFrames({ data, frames, height, width }: FrameBatch): number[] {
  const bytes = height * width * 3;
  const kept = [0];
  for (let frame = 1; frame < frames; frame++) {
    const [before, now] = [kept.at(-1)! * bytes, frame * bytes];
    let changed = 0;
    for (let k = 0; k < bytes; k++) if (Math.abs(data[now + k]! - data[before + k]!) > SIMILAR.levels) changed++;
    if (changed > SIMILAR.share * bytes) kept.push(frame);
  }
  return kept.length === 1 && frames > 1 ? [0, frames - 1] : kept;
}

/** The level, of 255, below which a border is black. */
const BLACK = 10;

/**
 * What is left of the frames without their borders: rows and columns, from the outside, that are black in all frames and
 * channels, or the same in all frames. Frames that are nothing but border are left whole.
 *
 * With `official`, frames with a border at the top but none at the bottom lose their last row, and likewise their last
 * column: so does the published code.
 */
export function withoutBorder(batch: FrameBatch, { official = false }: { official?: boolean } = {}): Inside {
  const { height, width } = batch;
  const row = (y: number): boolean => isBorder(batch, { top: y, bottom: y + 1, left: 0, right: width });
  const column = (x: number): boolean => isBorder(batch, { top: 0, bottom: height, left: x, right: x + 1 });
  const [top, bottom] = insideOf(height, row, official);
  const [left, right] = insideOf(width, column, official);
  return { top, bottom, left, right };
}

function insideOf(size: number, border: (index: number) => boolean, official: boolean): [first: number, end: number] {
  let first = 0;
  while (first < size && border(first)) first++;
  if (first === size) return [0, size];
  let end = size;
  while (border(end - 1)) end--;
  return official && first > 0 && end === size ? [first, size - 1] : [first, end];
}

/** Whether a part of the frames is black throughout, or does not change from frame to frame. */
function isBorder({ data, frames, height, width }: FrameBatch, { top, bottom, left, right }: Inside): boolean {
  let black = true;
  let still = true;
  for (let frame = 0; frame < frames && (black || still); frame++) {
    for (let y = top; y < bottom; y++) {
      const row = y * width;
      for (let k = (row + left) * 3; k < (row + right) * 3; k++) {
        const value = data[frame * height * width * 3 + k]!;
        if (value >= BLACK) black = false;
        if (value !== data[k]) still = false;
      }
    }
  }
  return black || still;
}

/** A title card has few edges: the side the frame is scaled to, the edge's strength in levels, and the share of pixels. */
const FLAT = { side: 256, levels: 3, share: 0.1 };

/**
 * The share of pixels with an edge, for each frame: scaled to 256 x 256 (nearest), 4-neighbour Laplacian of each channel
 * without padding, its largest size over the channels above 3 levels.
 */
export function edgeShares({ data, frames, height, width }: FrameBatch): number[] {
  const { side } = FLAT;
  const rows = Array.from({ length: side }, (_, y) => Math.floor((y * height) / side) * width);
  const columns = Array.from({ length: side }, (_, x) => Math.floor((x * width) / side));
  return Array.from({ length: frames }, (_, frame) => {
    const level = (y: number, x: number, channel: number): number =>
      data[(frame * height * width + rows[y]! + columns[x]!) * 3 + channel]!;
    let edges = 0;
    for (let y = 1; y < side - 1; y++) {
      for (let x = 1; x < side - 1; x++) {
        const isEdge = [0, 1, 2].some((c) => {
          const around = level(y - 1, x, c) + level(y + 1, x, c) + level(y, x - 1, c) + level(y, x + 1, c);
          return Math.abs(around - 4 * level(y, x, c)) > FLAT.levels;
        });
        if (isEdge) edges++;
      }
    }
    return edges / (side - 2) ** 2;
  });
}

/** The frames that are no title cards. */
export function detailedFrames(batch: FrameBatch): number[] {
  return edgeShares(batch).flatMap((share, frame) => (share > FLAT.share ? [frame] : []));
}
