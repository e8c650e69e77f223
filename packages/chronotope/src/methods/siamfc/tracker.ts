import { keep, noGrad, scope, stack, type Tensor, tensor, upsampleBicubic2d } from '@chronotope/torch';
import type { Box } from '../../data/manifest.js';
import { ChronotopeError } from '../../errors.js';
import type { SiamFC } from '../../models/siamfc.js';
import { type Colour, cropSquare, meanColour, meanColourOf } from './crop.js';
import { exemplarSide, type TrackerSettings } from './settings.js';

/** What a tracker needs of a {@link SiamFC}. */
export type TrackingNetwork = Pick<SiamFC, 'exemplar' | 'search' | 'response'>;

/** What one frame looked like to the tracker. */
export interface TrackedFrame {
  box: Box;
  /** Number of the size that fitted best, 0 for the smallest. */
  scale: number;
  /** The largest response at each size, after the penalty; logits. */
  peaks: number[];
  /** Where the best response is in the enlarged map. */
  place: [row: number, column: number];
}

/**
 * Follows one object from its box in the first frame (SiamFC, one-pass evaluation): each frame is searched around the last
 * place at several sizes, and compared with the exemplar of the first frame, which never changes.
 *
 * Images are uint8 `[H, W, 3]`. Boxes are `[x, y, width, height]` in pixels with the top left pixel at (1, 1). They may
 * leave the image.
 */
export class SiamFCTracker {
  readonly #network: TrackingNetwork;
  readonly #settings: TrackerSettings;
  readonly #factors: number[];
  readonly #exemplar: Tensor;
  readonly #window: Tensor;
  /** What lies beyond the image in every frame, by the `original` rule. */
  readonly #firstColour: Colour | null;
  /** Middle and size of the object, the top left pixel at (0, 0). */
  #state: { x: number; y: number; width: number; height: number };
  /** Side of the square that a search image shows, in pixels of the image. */
  #searchSide: number;

  /**
   * @param box of the object in the image
   * @throws ChronotopeError `box-empty`, `box-outside`
   */
  constructor(network: TrackingNetwork, settings: TrackerSettings, image: Tensor, box: Box) {
    checkBox(box, image);
    const { exemplarSize, searchSize, context, scales, scaleStep, responseSize, responseUp } = settings;
    const [left, top, width, height] = box;
    this.#network = network;
    this.#settings = settings;
    this.#state = { x: left - 1 + (width - 1) / 2, y: top - 1 + (height - 1) / 2, width, height };
    this.#factors = Array.from({ length: scales }, (_, k) => scaleStep ** (k - (scales - 1) / 2));
    this.#firstColour = settings.crop === 'original' ? meanColour(image) : null;
    const side = exemplarSide(width, height, context);
    this.#searchSide = (side * searchSize) / exemplarSize;
    this.#window = keep(hannWindow(responseSize * responseUp));
    this.#exemplar = keep(
      noGrad(() => scope(() => network.exemplar(this.crop(image, side, exemplarSize).unsqueeze(0)))),
    );
  }

  /** Finds the object in the next frame. */
  update(image: Tensor): TrackedFrame {
    const { searchSize, scaleRate } = this.#settings;
    const found = noGrad(() =>
      scope(() => {
        const padding = this.paddingOf(image);
        const searches = this.#factors.map((factor) =>
          this.crop(image, this.#searchSide * factor, searchSize, padding),
        );
        return this.search(stack(searches));
      }),
    );
    const factor = this.#factors[found.scale]!;
    const [dy, dx] = found.displacement.map((pixels) => (pixels * this.#searchSide * factor) / searchSize);
    const growth = 1 - scaleRate + scaleRate * factor;
    const { x, y, width, height } = this.#state;
    this.#state = { x: x + dx!, y: y + dy!, width: width * growth, height: height * growth };
    this.#searchSide *= growth;
    const { scale, peaks, place } = found;
    return { box: this.box, scale, peaks, place };
  }

  /** Where the object was seen last. */
  get box(): Box {
    const { x, y, width, height } = this.#state;
    return [x + 1 - (width - 1) / 2, y + 1 - (height - 1) / 2, width, height];
  }

  dispose(): void {
    this.#exemplar.dispose();
    this.#window.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private paddingOf(image: Tensor): () => Colour {
    const first = this.#firstColour;
    return first ? () => first : meanColourOf(image);
  }

  private crop(image: Tensor, side: number, size: number, padding = this.paddingOf(image)): Tensor {
    const { x, y } = this.#state;
    return cropSquare(image, { centre: [x, y], side, size, padding }, this.#settings.crop);
  }

  /** The best size, and how far the object is from the middle of the search image, in its pixels. */
  private search(searches: Tensor) {
    const { scales, scalePenalty, windowInfluence, responseSize, responseUp, stride, exactGeometry } = this.#settings;
    const side = responseSize * responseUp;
    const responses = this.#network.response(this.#exemplar, this.#network.search(searches));
    const maps = upsampleBicubic2d(responses, [side, side], false).squeeze(1);
    const middle = (scales - 1) / 2;
    const peaks = Array.from(maps.amax([1, 2]).data() as Float32Array, (peak, k) =>
      k === middle ? peak : peak * scalePenalty,
    );
    const scale = peaks.indexOf(Math.max(...peaks));
    // The penalty of the whole map changes nothing in where its peak is once the map has been scaled to a sum of 1.
    const best = maps.select(0, scale).to({ dtype: 'float64' });
    const shifted = best.sub(best.min());
    const mixed = shifted
      .mul((1 - windowInfluence) / (shifted.sum().item() + 1e-16))
      .add(this.#window, { alpha: windowInfluence });
    const index = Number(mixed.argmax().item());
    const place: [number, number] = [Math.floor(index / side), index % side];
    const pixels = exactGeometry ? (stride * responses.shape[2]!) / side : stride / responseUp;
    const displacement = place.map((position) => (position - (side - 1) / 2) * pixels) as [number, number];
    return { scale, peaks, place, displacement };
  }
}

/** Two-dimensional Hann window with a sum of 1, float64 `[side, side]`. */
export function hannWindow(side: number): Tensor {
  const values = Float64Array.from({ length: side }, (_, k) => 0.5 - 0.5 * Math.cos((2 * Math.PI * k) / (side - 1)));
  return scope(() => {
    const line = tensor(values, { shape: [side] });
    const window = line.unsqueeze(1).mul(line);
    return window.div(window.sum());
  });
}

function checkBox([left, top, width, height]: Box, image: Tensor): void {
  const [rows, columns] = image.shape as [number, number];
  const text = `[${[left, top, width, height].join(', ')}]`;
  if (!(width >= 1 && height >= 1)) {
    throw new ChronotopeError('box-empty', `the box ${text} has no area`, {
      hint: 'A box is x, y, width, height in pixels of the first frame, with a width and height of 1 or more.',
    });
  }
  if (left - 1 < columns && top - 1 < rows && left + width > 1 && top + height > 1) return;
  throw new ChronotopeError('box-outside', `the box ${text} lies outside the first frame of ${columns} x ${rows}`, {
    hint: 'A box is x, y, width, height in pixels of the first frame; its top left pixel is (1, 1).',
  });
}
