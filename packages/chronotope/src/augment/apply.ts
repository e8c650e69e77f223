import { empty, noGrad, scope, type Tensor, tensor } from '@chronotope/torch';
import type { ClipAugmentation } from './clip-augmentation.js';
import { resizeCrops } from './resize.js';
import type { Normalisation } from './settings.js';
import { applySteps } from './steps.js';

/** Bytes of output worked on at a time: on a processor few enough for its cache, elsewhere a bound on memory. */
const CHUNK_BYTES = { processor: 4 << 20, accelerator: 512 << 20 };

/**
 * Applies one drawn augmentation to each clip of a batch, the same to all frames of the clip.
 *
 * @param frames uint8 [N, T, H, W, 3] on any device
 * @param augmentations N of them, drawn for this source size and output size
 * @param size side S of the square output in pixels
 * @returns float32 [N, 3, T, S, S] on the device of the frames: in [0, 1] where the augmentation clamps and does not
 *   normalise
 */
export function augmentClips(frames: Tensor, augmentations: readonly ClipAugmentation[], size: number): Tensor {
  const [clips, length] = frames.shape as [number, number];
  const clipBytes = 3 * length * size * size * 4;
  const limit = frames.device === 'cpu' ? CHUNK_BYTES.processor : CHUNK_BYTES.accelerator;
  return noGrad(() =>
    scope(() => {
      const output = empty([clips, 3, length, size, size], { device: frames.device });
      for (const [start, count] of chunks(augmentations, Math.max(1, Math.floor(limit / clipBytes)))) {
        scope(() => {
          const chunk = output.narrow(0, start, count);
          augmentChunk(frames.narrow(0, start, count), augmentations.slice(start, start + count), chunk);
        });
      }
      return output;
    }),
  );
}

/** All clips share interpolation, clamping, gray and normalisation. */
function augmentChunk(frames: Tensor, augmentations: readonly ClipAugmentation[], output: Tensor): void {
  // Mirroring commutes with all that comes before it in the list of effects, so it rides along with the resize.
  resizeCrops(frames, augmentations, output);
  const { clamp, luma, normalise } = augmentations[0]!;
  if (clamp) output.clamp_({ min: 0, max: 1 });
  applySteps(
    output,
    augmentations.map(({ steps }) => steps),
    { clamp, luma },
  );
  if (normalise !== null) standardise(output, normalise);
}

function standardise(clips: Tensor, { mean, std }: Normalisation): void {
  const perChannel = (values: readonly number[]): Tensor =>
    tensor(Float32Array.from(values), { shape: [3, 1, 1, 1], device: clips.device });
  clips.sub_(perChannel(mean)).div_(perChannel(std));
}

/** Runs of at most `most` clips that can be worked on together: (start, count). */
function chunks(augmentations: readonly ClipAugmentation[], most: number): [start: number, count: number][] {
  const runs: [number, number][] = [];
  augmentations.forEach((augmentation, clip) => {
    const run = runs.at(-1);
    if (run !== undefined && run[1] < most && sameRules(augmentations[run[0]]!, augmentation)) run[1]++;
    else runs.push([clip, 1]);
  });
  return runs;
}

function sameRules(a: ClipAugmentation, b: ClipAugmentation): boolean {
  return a.interpolation === b.interpolation && a.clamp === b.clamp && a.luma === b.luma && a.normalise === b.normalise;
}
