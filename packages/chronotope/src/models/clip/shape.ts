import type { Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';

/** The non-linearity of every block: OpenAI's weights need the approximation, OpenCLIP's own ones mostly the exact GELU. */
export type ClipActivation = 'quick-gelu' | 'gelu';

/** A stack of transformer blocks. */
export interface TransformerShape {
  /** Numbers in a token, D. */
  width: number;
  layers: number;
  heads: number;
}

/** What an image tower is made of. */
export interface ImageTowerShape extends TransformerShape {
  /** Height and width of the images in pixels. */
  resolution: number;
  /** Height and width of a patch in pixels. */
  patch: number;
}

/** What a text tower is made of. */
export interface TextTowerShape extends TransformerShape {
  /** Tokens in a row, including start and end. */
  context: number;
  /** Tokens in the vocabulary. The highest one must be the end token. */
  vocabulary: number;
}

/** The architecture of a CLIP: all that its weights do not say by themselves, and what they do. */
export interface ClipShape {
  /** Size of the space that images and texts share, E. */
  embedding: number;
  image: ImageTowerShape;
  text: TextTowerShape;
  activation: ClipActivation;
}

/** Attention heads are this wide in every published CLIP. */
const HEAD_WIDTH = 64;

const PUBLISHED_TEXT = { context: 77, vocabulary: 49_408 };
const B_TEXT: TextTowerShape = { width: 512, layers: 12, heads: 8, ...PUBLISHED_TEXT };
const B_IMAGE = { width: 768, layers: 12, heads: 12, resolution: 224 };

/** The Vision Transformers among OpenAI's models (Radford et al., ICML 2021, table 19). */
export const CLIP_SHAPES = {
  'ViT-B/32': { embedding: 512, image: { ...B_IMAGE, patch: 32 }, text: B_TEXT, activation: 'quick-gelu' },
  'ViT-B/16': { embedding: 512, image: { ...B_IMAGE, patch: 16 }, text: B_TEXT, activation: 'quick-gelu' },
  'ViT-L/14': {
    embedding: 768,
    image: { width: 1024, layers: 24, heads: 16, resolution: 224, patch: 14 },
    text: { width: 768, layers: 12, heads: 12, ...PUBLISHED_TEXT },
    activation: 'quick-gelu',
  },
} as const satisfies Record<string, ClipShape>;

/** What the shapes of weights leave open. */
export interface UnreadableShape {
  /** Default: one head for every 64 numbers of width, as in all published models. */
  imageHeads?: number;
  /** Default: as `imageHeads`. */
  textHeads?: number;
  /** Default `quick-gelu`, what OpenAI's weights need. */
  activation?: ClipActivation;
}

/**
 * Reads the architecture from the shapes of a state dict with OpenAI's keys.
 *
 * @throws ChronotopeError `not-clip` if a key is missing or has a shape that no CLIP with a Vision Transformer has
 */
export function clipShapeOf(state: ReadonlyMap<string, Tensor>, options: UnreadableShape = {}): ClipShape {
  const size = (key: string, axis: number): number => {
    const found = state.get(key)?.shape.at(axis);
    if (found === undefined) throw notClip(state, key);
    return found;
  };
  const width = size('visual.conv1.weight', 0);
  const patch = size('visual.conv1.weight', 3);
  const patches = size('visual.positional_embedding', 0) - 1;
  const textWidth = size('text_projection', 0);
  return {
    embedding: size('text_projection', 1),
    image: {
      width,
      layers: countBlocks(state, 'visual.transformer'),
      heads: options.imageHeads ?? headsOf(width, 'image'),
      resolution: patch * sideOf(patches),
      patch,
    },
    text: {
      width: textWidth,
      layers: countBlocks(state, 'transformer'),
      heads: options.textHeads ?? headsOf(textWidth, 'text'),
      context: size('positional_embedding', 0),
      vocabulary: size('token_embedding.weight', 0),
    },
    activation: options.activation ?? 'quick-gelu',
  };
}

/** Consecutive blocks from 0 on. */
function countBlocks(state: ReadonlyMap<string, Tensor>, stack: string): number {
  let layers = 0;
  while (state.has(`${stack}.resblocks.${layers}.attn.in_proj_weight`)) layers++;
  if (layers === 0) throw notClip(state, `${stack}.resblocks.0.attn.in_proj_weight`);
  return layers;
}

function headsOf(width: number, tower: 'image' | 'text'): number {
  const heads = width / HEAD_WIDTH;
  if (Number.isInteger(heads)) return heads;
  throw new ChronotopeError('not-clip', `the ${tower} tower is ${width} wide, which says nothing about its heads`, {
    hint: `published models have one head for every ${HEAD_WIDTH} numbers; say how many heads this one has`,
    details: { tower, width },
  });
}

/** Patches lie in a square. */
function sideOf(patches: number): number {
  const side = Math.sqrt(patches);
  if (Number.isInteger(side)) return side;
  throw new ChronotopeError('not-clip', `the image tower has places for ${patches} patches, which is no square`, {
    hint: 'CLIP weights for square images are needed',
    details: { patches },
  });
}

function notClip(state: ReadonlyMap<string, Tensor>, key: string): ChronotopeError {
  const resnet = state.has('visual.layer1.0.conv1.weight');
  return new ChronotopeError(
    'not-clip',
    resnet
      ? 'the image tower is a ResNet, not a Vision Transformer'
      : `the weights lack '${key}', which every CLIP has`,
    {
      hint: 'use a CLIP with a Vision Transformer, such as ViT-B/32, ViT-B/16 or ViT-L/14',
      details: { lacking: key, keys: [...state.keys()].slice(0, 5) },
    },
  );
}
