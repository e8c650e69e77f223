import { isDeepStrictEqual } from 'node:util';
import { type nn, scope, type Tensor } from '@chronotope/torch';
import { type ClipFormat, recogniseClip } from '../clip/clip-weights.js';
import { CLIP_SHAPES, type ClipShape } from '../clip/shape.js';
import { ResNet18, ResNet50 } from '../image-resnet.js';
import { R3D50 } from '../slow-resnet.js';
import { MC3D18, R2Plus1D18, R3D18 } from '../video-resnet.js';
import { layoutsOf, pairKeys, type WeightsFormat } from './layouts.js';
import { readWeights } from './read-weights.js';

/** What is in a file of weights. */
export interface WeightsDescription {
  file: string;
  /** What wrappers put before every key, such as DataParallel's `module.`; the keys below are without it. */
  wrapper: string;
  weights: { key: string; shape: number[]; dtype: string }[];
  /** Numbers in all weights together. */
  numbers: number;
  /** The published network whose backbone this is, by keys and kernel sizes, and the format; null if it is none. */
  network: { name: string; format: WeightsFormat | ClipFormat } | null;
  skipped: { path: string; kind: string }[];
}

/** As narrow as can be: keys and kernel sizes do not depend on the width. */
const NARROW = { width: 1 };
const PUBLISHED: readonly (readonly [string, () => nn.Module])[] = [
  ['r3d18', () => new R3D18(NARROW)],
  ['r2plus1d18, strided', () => new R2Plus1D18({ ...NARROW, lastStage: 'strided' })],
  ['r2plus1d18, dilated', () => new R2Plus1D18(NARROW)],
  ['mc3-18', () => new MC3D18(NARROW)],
  ['r3d50', () => new R3D50(NARROW)],
  ['resnet18', () => new ResNet18(NARROW)],
  ['resnet50', () => new ResNet50(NARROW)],
];

/**
 * Says what weights a checkpoint file has and which network they are of, without a network to load them into.
 *
 * @param place where in a checkpoint the weights are; by default at one of the usual places, or at the top
 * @throws TorchError `io` for files that cannot be read or have no weights there
 */
export function describeWeights(path: string, place?: string): WeightsDescription {
  return scope(() => {
    const { tensors, wrapper, skipped, metadata } = readWeights(path, place);
    const weights = [...tensors].map(([key, { shape, dtype }]) => ({ key, shape: [...shape], dtype }));
    return {
      file: path,
      wrapper,
      weights,
      numbers: [...tensors.values()].reduce((sum, { numel }) => sum + numel, 0),
      network: recognise(tensors) ?? describeClip(tensors, metadata),
      skipped: skipped.map(({ path, kind }) => ({ path, kind })),
    };
  });
}

function recognise(tensors: ReadonlyMap<string, Tensor>): WeightsDescription['network'] {
  for (const [name, make] of PUBLISHED) {
    const network = make();
    const state = network.stateDict();
    const layout = layoutsOf(network).find((candidate) =>
      pairKeys(network, candidate).every(({ foreign, own }) => {
        const found = foreign === null ? undefined : tensors.get(foreign);
        if (found === undefined) return own.endsWith('num_batches_tracked');
        return kernelOf(found) === kernelOf(state.get(own)!);
      }),
    );
    network.dispose();
    if (layout) return { name, format: layout.format };
  }
  return null;
}

function describeClip(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): WeightsDescription['network'] {
  const found = recogniseClip(tensors, metadata);
  return found && { name: nameOfClip(found.shape), format: found.format };
}

function nameOfClip(shape: ClipShape): string {
  const published = Object.entries(CLIP_SHAPES).find(([, known]) => isDeepStrictEqual(known, shape));
  if (published) return `clip ${published[0]}`;
  const { resolution, patch, width } = shape.image;
  return `clip, ${resolution} x ${resolution} pixels in patches of ${patch}, width ${width}`;
}

/** The number of dimensions and the kernel of a convolution. */
function kernelOf({ ndim, shape }: Tensor): string {
  return `${ndim}: ${shape.slice(2).join(' ')}`;
}
