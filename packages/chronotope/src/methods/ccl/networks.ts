import { scope } from '@chronotope/torch';
import { createImageBackbone, FrameResNet } from '../../models/frame-resnet.js';
import type { ResNet18, ResNet50 } from '../../models/image-resnet.js';
import { importWeights } from '../../models/weights/import-weights.js';
import { readWeights } from '../../models/weights/read-weights.js';
import type { WeightsReport } from '../../models/weights/report.js';
import type { CclRecipe } from '../../recipes/ccl.js';
import { CclEncoder } from './encoder.js';
import { CclModel } from './model.js';
import { loadOfficialState } from './official-state.js';
import { hasSeparateHeads, queueLengths } from './settings.js';

/** The encoder of a recipe. */
export type Encoder = CclEncoder<ResNet18 | ResNet50>;

function form({ model }: CclRecipe) {
  return { width: model.width ?? undefined, depths: model.depths ?? undefined };
}

function newEncoder(recipe: CclRecipe): Encoder {
  const { backbone, embedding, head } = recipe.model;
  const heads = hasSeparateHeads(recipe) ? 'separate' : 'shared';
  return new CclEncoder(createImageBackbone(backbone, form(recipe)), { head, heads, dimensions: embedding });
}

/** Both encoders, newly initialised, and the queues. The recipe must have its queue lengths. */
export function newModel(recipe: CclRecipe): CclModel<Encoder> {
  return new CclModel(newEncoder(recipe), newEncoder(recipe), recipe.model.embedding, queueLengths(recipe));
}

/**
 * Says before a run starts whether the recipe's network can use its images, and its file of weights.
 *
 * @returns what of the file will be used, or null without one
 * @throws ChronotopeError `input-too-small`, `weights-differ`; TorchError `io` for an unusable file
 */
export function checkNetwork(recipe: CclRecipe): WeightsReport | null {
  const network = new FrameResNet(createImageBackbone(recipe.model.backbone, form(recipe)));
  try {
    network.checkClips({ frames: 1, size: recipe.inputSize });
    return recipe.model.pretrained === null ? null : importWeights(network, recipe.model.pretrained);
  } finally {
    network.dispose();
  }
}

/**
 * Loads the weights that the recipe says to start from, if it does. Of a checkpoint of MoCo or CCL both encoders are
 * taken over; else the momentum encoder becomes a copy. Queues start anew: old keys are of other videos.
 */
export function startFromGivenWeights(model: CclModel<Encoder>, { model: { pretrained } }: CclRecipe): void {
  if (pretrained === null) return;
  const { format } = importWeights(model.query, pretrained);
  model.startKeyEncoder();
  if (format !== 'moco') return;
  scope(() => {
    const keyEncoder = [...readWeights(pretrained).tensors].filter(([key]) => /^(encoder_k|k_cycle_fc)\./.test(key));
    loadOfficialState(model, new Map(keyEncoder));
  });
}
