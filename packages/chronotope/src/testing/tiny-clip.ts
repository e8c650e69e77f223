import type { GoldenTensor } from './golden-tensors.js';

/** `golden/clip/clip_tiny.json`. */
export interface TinyClip {
  config: Record<
    | 'embed_dim'
    | 'image_resolution'
    | 'vision_layers'
    | 'vision_width'
    | 'vision_patch_size'
    | 'vision_heads'
    | 'context_length'
    | 'vocab_size'
    | 'transformer_width'
    | 'transformer_heads'
    | 'transformer_layers',
    number
  >;
  state_dict: Record<string, GoldenTensor>;
  image: GoldenTensor;
  text: GoldenTensor;
  stages: Record<string, GoldenTensor>;
  image_features: GoldenTensor;
  text_features: GoldenTensor;
  logits_per_image: GoldenTensor;
  logits_per_text: GoldenTensor;
  cotangent_on_logits_per_image: GoldenTensor;
  grad_image: GoldenTensor;
  grad_params: Record<string, GoldenTensor>;
}

/** The golden CLIP's architecture; the same type as `ClipShape` of models/clip. */
export function tinyShape({ config }: Pick<TinyClip, 'config'>) {
  return {
    embedding: config.embed_dim,
    image: {
      width: config.vision_width,
      layers: config.vision_layers,
      heads: config.vision_heads,
      resolution: config.image_resolution,
      patch: config.vision_patch_size,
    },
    text: {
      width: config.transformer_width,
      layers: config.transformer_layers,
      heads: config.transformer_heads,
      context: config.context_length,
      vocabulary: config.vocab_size,
    },
    activation: 'quick-gelu' as const,
  };
}
