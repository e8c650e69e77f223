import type { Interpolation, Luma, Normalisation } from './settings.js';

/** A rectangle in whole pixels. */
export interface Box {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** Height and width of frames in pixels. */
export interface FrameSize {
  height: number;
  width: number;
}

/**
 * One change of a clip's values. `brightness`, `contrast` and `saturation` are factors, `hue` a fraction of the colour
 * circle, `gamma` an exponent, `blur` a sigma in pixels, `solarise` a threshold; `erase` sets rectangles to 0 (they may
 * reach over the border), `channel-order` names the source channel of each channel.
 */
export type Step =
  | { kind: 'brightness' | 'contrast' | 'saturation' | 'hue' | 'gamma' | 'blur' | 'solarise'; value: number }
  | { kind: 'gray' }
  | { kind: 'channel-drop'; channel: number }
  | { kind: 'channel-order'; order: readonly number[] }
  | { kind: 'erase'; boxes: readonly Box[] };

/** What happens to one clip, the same for all its frames: geometry, then the steps in order, then normalisation. */
export interface ClipAugmentation {
  /** The part of the source that is used. What it has beyond the frame is black. */
  crop: Box;
  /** The crop is scaled to the canvas' height and width; the output is what lies at its (top, left). */
  canvas: Box;
  interpolation: Interpolation;
  flip: boolean;
  steps: readonly Step[];
  /** Cuts values to [0, 1] after resizing and after every step that can leave that range. */
  clamp: boolean;
  luma: Luma;
  normalise: Normalisation | null;
}

/** A canvas of just the output's size. */
export function wholeCanvas(size: number): Box {
  return { top: 0, left: 0, height: size, width: size };
}

/** The whole frame as a box. */
export function wholeFrame({ height, width }: FrameSize): Box {
  return { top: 0, left: 0, height, width };
}
