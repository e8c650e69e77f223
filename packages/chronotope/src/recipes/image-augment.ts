import { z } from 'zod';
import { range, share } from './parts.js';

const strength = z.number().min(0);

/** Random colours, as recipes write them. */
export const colourJitter = z
  .strictObject({
    probability: share.describe('how often colours are changed'),
    brightness: strength.describe('s: a factor between 1 - s and 1 + s'),
    contrast: strength.describe('the same for the distance from the mean gray'),
    saturation: strength.describe('the same for the distance from gray'),
    hue: z.number().min(0).max(0.5).describe('largest shift as a fraction of the colour circle'),
  })
  .describe('random colours, the four changes in random order');

/** Random augmentation of the MoCo kind, as recipes write it. */
export const imageAugment = z
  .strictObject({
    area: range.describe('of the random crop, as a fraction of the frame; its shape varies from 3:4 to 4:3'),
    flip: share.describe('probability of a mirror image; keep 0 where left and right matter'),
    jitter: colourJitter,
    grayscale: share.describe('probability of a gray image'),
    grayscaleFirst: z.boolean().describe('gray before the jitter, as in MoCo v1'),
    blur: z
      .strictObject({
        probability: share.describe('how often an image is blurred'),
        sigma: range.describe('of the Gaussian, in pixels of the input'),
      })
      .describe('Gaussian blur'),
  })
  .describe('random augmentation, drawn anew for every image or clip');

/** Settings of {@link imageAugment}. */
export type ImageAugment = z.infer<typeof imageAugment>;
