import type { CropRule } from './crop.js';

/** The geometry of exemplars and search images, which training and tracking share. */
export interface SiamFCGeometry {
  /** Pixels of an exemplar. */
  exemplarSize: number;
  /** Pixels of a search image at test time; it shows `searchSize / exemplarSize` times as much. */
  searchSize: number;
  /** What is seen around the object: this share of its mean side, on each side a half of it. */
  context: number;
  /** Pixels of the search image for one place of the response. */
  stride: number;
}

/** How a {@link SiamFCTracker} follows an object; the defaults are the published ones. */
export interface TrackerSettings extends SiamFCGeometry {
  crop: CropRule;
  /** Sizes that are tried in each frame, an odd number. */
  scales: number;
  /** Ratio of one size to the next. */
  scaleStep: number;
  /** How much of a change of size is taken over. */
  scaleRate: number;
  /** Factor of the responses at other sizes than the last. */
  scalePenalty: number;
  /** Share of the window that prefers places near the last one. */
  windowInfluence: number;
  /** Places of a response as the search counts them. */
  responseSize: number;
  /** How many times the response is enlarged to find its peak. */
  responseUp: number;
  /**
   * Takes the size that the response really has for the displacement, instead of `responseSize`: with ResNet it is 18,
   * and the official tracker therefore moves 17/18 of the way.
   */
  exactGeometry: boolean;
}

/** Side in pixels of the image that an exemplar of an object shows. */
export function exemplarSide(width: number, height: number, context: number): number {
  const margin = context * (width + height);
  return Math.sqrt((width + margin) * (height + margin));
}
