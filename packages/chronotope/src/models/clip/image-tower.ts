import { cat, nn, type Tensor } from '@chronotope/torch';
import { patchGrid } from '../patch-grid.js';
import { normalParameter } from './parameters.js';
import { resizePositions } from './positions.js';
import type { ClipActivation, ImageTowerShape } from './shape.js';
import { ClipTransformer } from './transformer.js';

/**
 * CLIP's Vision Transformer (Radford et al., ICML 2021), without the prefix `visual.` of its keys.
 *
 * Images are float32 [N, 3, H, W], normalised by {@link CLIP_MEAN} and {@link CLIP_STD}. Sizes other than the one it was
 * built for are possible: its position embeddings are then resized to their grid of patches.
 */
export class ClipImageTower extends nn.Module {
  /** Pixels of height and width that it was built for. */
  readonly resolution: number;
  /** Pixels of height and width of a patch. */
  readonly patch: number;
  /** Numbers in a token, D. */
  readonly width: number;
  /** Numbers in an embedding, E. */
  readonly embedding: number;
  readonly classEmbedding: nn.Parameter;
  /** [1 + patches, D]: the class token's, then the patches' in reading order. */
  readonly positionalEmbedding: nn.Parameter;
  /** [D, E] */
  readonly proj: nn.Parameter;
  readonly conv1: nn.Conv2d;
  readonly lnPre: nn.LayerNorm;
  readonly transformer: ClipTransformer;
  readonly lnPost: nn.LayerNorm;

  /**
   * @param options.embedding E
   * @param options.activation default `quick-gelu`
   * @throws ChronotopeError `patch-size` if patches do not tile the image
   */
  constructor(
    shape: ImageTowerShape,
    { embedding, activation = 'quick-gelu' }: { embedding: number; activation?: ClipActivation },
  ) {
    super();
    const { resolution, patch, width } = shape;
    this.resolution = resolution;
    this.patch = patch;
    this.width = width;
    this.embedding = embedding;
    const patches = patchGrid([resolution, resolution], patch).reduce((product, side) => product * side);
    const std = width ** -0.5;
    this.classEmbedding = normalParameter([width], std);
    this.positionalEmbedding = normalParameter([1 + patches, width], std);
    this.proj = normalParameter([width, embedding], std);
    this.conv1 = new nn.Conv2d(3, width, { kernelSize: patch, stride: patch, bias: false });
    this.lnPre = new nn.LayerNorm(width);
    this.transformer = new ClipTransformer(shape, activation);
    this.lnPost = new nn.LayerNorm(width);
  }

  /** Images [N, 3, H, W] to embeddings [N, E], not normalised. */
  override forward(images: Tensor): Tensor {
    return this.features(images).matmul(this.proj);
  }

  /** Images [N, 3, H, W] to the class token after the last norm, [N, D]: what linear probes use. Call it inside a scope. */
  features(images: Tensor): Tensor {
    const tokens = this.transformer.call(this.embed(images));
    return this.lnPost.call(tokens.select(1, 0));
  }

  /**
   * The tokens that the transformer gets: [N, 1 + patches, D], the class token first, positions added, normalised. Call
   * it inside a scope.
   *
   * @throws ChronotopeError `patch-size` if patches do not tile the images
   */
  embed(images: Tensor): Tensor {
    const [n, , height, width] = images.shape as [number, number, number, number];
    const positions = this.positions([height, width]);
    const patches = this.conv1.call(images).flatten({ startDim: 2 }).transpose(1, 2);
    const classTokens = this.classEmbedding.expand([n, 1, this.width]);
    return this.lnPre.call(cat([classTokens, patches], { dim: 1 }).add(positions));
  }

  /**
   * Position embeddings [1 + patches, D] for images of a size in pixels: the learnt ones, resized bicubically where the
   * grid of patches is another.
   *
   * @throws ChronotopeError `patch-size` if patches do not tile such images
   */
  positions(size: readonly [height: number, width: number]): Tensor {
    return resizePositions(this.positionalEmbedding, patchGrid(size, this.patch));
  }
}

/** Means of red, green and blue in [0, 1] that CLIP's images are normalised by. */
export const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
/** Standard deviations of red, green and blue in [0, 1] that CLIP's images are normalised by. */
export const CLIP_STD = [0.26862954, 0.26130258, 0.27577711] as const;
