import { cat, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';

/** A weight of OpenAI's state dict as Hugging Face's `CLIPModel` keeps it. */
export interface ForeignWeight {
  /** `split` cuts the rows into three equal parts: queries, keys and values. */
  change: 'none' | 'transpose' | 'split';
  /** One key, or three where rows are split. */
  keys: string[];
}

/** Where Hugging Face's `CLIPModel` keeps a weight of OpenAI's state dict. */
export function huggingFaceWeight(key: string): ForeignWeight {
  const single = SINGLE[key];
  if (single !== undefined) return { change: key in TRANSPOSED ? 'transpose' : 'none', keys: [single] };
  const block = /^(visual\.)?transformer\.resblocks\.(\d+)\.(.+)$/.exec(key);
  if (block === null) return { change: 'none', keys: [key] };
  const [, visual, index, rest] = block as unknown as [string, string | undefined, string, string];
  const layer = `${visual === undefined ? 'text' : 'vision'}_model.encoder.layers.${index}.`;
  const projection = /^attn\.in_proj_(weight|bias)$/.exec(rest);
  if (projection !== null) {
    return { change: 'split', keys: ['q', 'k', 'v'].map((part) => `${layer}self_attn.${part}_proj.${projection[1]}`) };
  }
  const [, name, kind] = /^(.+)\.(weight|bias)$/.exec(rest) ?? [];
  return { change: 'none', keys: [`${layer}${LAYERS[name!] ?? name}.${kind}`] };
}

const SINGLE: Readonly<Record<string, string>> = {
  positional_embedding: 'text_model.embeddings.position_embedding.weight',
  text_projection: 'text_projection.weight',
  logit_scale: 'logit_scale',
  'visual.class_embedding': 'vision_model.embeddings.class_embedding',
  'visual.positional_embedding': 'vision_model.embeddings.position_embedding.weight',
  'visual.proj': 'visual_projection.weight',
  'visual.conv1.weight': 'vision_model.embeddings.patch_embedding.weight',
  'visual.ln_pre.weight': 'vision_model.pre_layrnorm.weight',
  'visual.ln_pre.bias': 'vision_model.pre_layrnorm.bias',
  'visual.ln_post.weight': 'vision_model.post_layernorm.weight',
  'visual.ln_post.bias': 'vision_model.post_layernorm.bias',
  'token_embedding.weight': 'text_model.embeddings.token_embedding.weight',
  'ln_final.weight': 'text_model.final_layer_norm.weight',
  'ln_final.bias': 'text_model.final_layer_norm.bias',
};

/** Plain matrices there, weights of linear layers here. */
const TRANSPOSED = { text_projection: true, 'visual.proj': true };

const LAYERS: Readonly<Record<string, string>> = {
  'attn.out_proj': 'self_attn.out_proj',
  ln_1: 'layer_norm1',
  'mlp.c_fc': 'mlp.fc1',
  'mlp.c_proj': 'mlp.fc2',
  ln_2: 'layer_norm2',
};

/** A state dict with OpenAI's keys under those of Hugging Face, in the same order. */
export function toHuggingFace(state: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    [...state].flatMap(([key, tensor]): [string, Tensor][] => {
      const { change, keys } = huggingFaceWeight(key);
      if (change === 'transpose') return [[keys[0]!, tensor.transpose(0, 1).contiguous()]];
      const parts = change === 'split' ? tensor.chunk(3) : [tensor];
      return parts.map((part, index) => [keys[index]!, part]);
    }),
  );
}

/**
 * Weights of Hugging Face's `CLIPModel` under OpenAI's keys. Weights that OpenAI's state dict has no place for keep
 * their own.
 *
 * @throws ChronotopeError `not-clip` if of queries, keys and values one is missing
 */
export function fromHuggingFace(state: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const rest = new Map(state);
  for (const own of openaiKeys(state)) {
    const { change, keys } = huggingFaceWeight(own);
    if (!keys.some((key) => state.has(key))) continue;
    const parts = keys.map((key) => required(state, key));
    const whole = change === 'split' ? cat(parts) : parts[0]!;
    found.set(own, change === 'transpose' ? whole.transpose(0, 1) : whole);
    for (const key of keys) rest.delete(key);
  }
  return new Map([...found, ...rest]);
}

/** OpenAI's keys of a CLIP with as many blocks as the weights have. */
function openaiKeys(state: ReadonlyMap<string, Tensor>): string[] {
  const layers = Object.keys(LAYERS).flatMap((name) => [`${name}.weight`, `${name}.bias`]);
  const blockKeys = ['attn.in_proj_weight', 'attn.in_proj_bias', ...layers];
  const stacks = [
    ['visual.transformer', 'vision_model'],
    ['transformer', 'text_model'],
  ] as const;
  const blocks = stacks.flatMap(([stack, foreign]) => {
    const keys: string[] = [];
    for (let i = 0; state.has(`${foreign}.encoder.layers.${i}.layer_norm1.weight`); i++) {
      keys.push(...blockKeys.map((key) => `${stack}.resblocks.${i}.${key}`));
    }
    return keys;
  });
  return [...Object.keys(SINGLE), ...blocks];
}

function required(state: ReadonlyMap<string, Tensor>, key: string): Tensor {
  const tensor = state.get(key);
  if (tensor) return tensor;
  throw new ChronotopeError('not-clip', `the weights lack '${key}', which every CLIPModel has`, {
    hint: 'the file is damaged or was written by another program: download it again',
    details: { lacking: key },
  });
}
