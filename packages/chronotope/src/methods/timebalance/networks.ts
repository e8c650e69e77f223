import { scope } from '@chronotope/torch';
import type { VideoBackbone } from '../../models/backbone.js';
import { Classifier } from '../../models/classifier.js';
import { ProjectionHead } from '../../models/projection-head.js';
import { createBackbone } from '../../models/registry.js';
import { importWeights } from '../../models/weights/import-weights.js';
import type { WeightsReport } from '../../models/weights/report.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { type ClipBatches, PretextModel } from './pretext-model.js';
import { pretrainFrames } from './view-plans.js';

/** The recipe's backbone, newly initialised. Its time slices match the local clips of pre-training. */
function newBackbone({ model, clips, inputSize }: TimeBalanceRecipe): VideoBackbone {
  const slices = clips.localClips;
  const { stemWidth, widths, blocks, lastStage, width, depths } = model;
  const form = { width: width ?? undefined, depths: depths ?? undefined, slices };
  switch (model.backbone) {
    case 'small-r3d':
      return createBackbone({
        name: 'small-r3d',
        stemWidth,
        widths,
        strides: widths.map((_, stage) => [stage === 1 ? 2 : 1, 2, 2] as const),
        blocksPerStage: blocks,
        slices,
      });
    case 'r3d18':
    case 'r2plus1d18':
      return createBackbone({ name: model.backbone, lastStage, ...form });
    case 'mc3-18':
    case 'r3d50':
    case 'resnet18':
    case 'resnet50':
      return createBackbone({ name: model.backbone, ...form });
    case 'space-time-vit': {
      const input = { size: inputSize, patch: model.patch, frames: clips.frames };
      const depth = depths?.reduce((sum, blocks) => sum + blocks);
      // As everywhere: a head for every 64 numbers of a token.
      const heads = Math.max(1, Math.round((width ?? 768) / 64));
      const form = { width: width ?? undefined, depth, heads, pooling: 'patches', slices } as const;
      return createBackbone({ name: model.backbone, ...input, ...form });
    }
  }
}

/**
 * Says before a run starts whether the recipe's network can use its clips, and its file of weights.
 *
 * @returns what of the file will be used, or null without one
 * @throws ChronotopeError `clip-too-short`, `input-too-small`, `weights-differ`; TorchError `io` for an unusable file
 */
export function checkNetwork(recipe: TimeBalanceRecipe): WeightsReport | null {
  const backbone = newBackbone(recipe);
  try {
    backbone.checkClips({ frames: pretrainFrames(recipe), size: recipe.inputSize });
    return startFromGivenWeights(backbone, recipe);
  } finally {
    backbone.dispose();
  }
}

/** Loads the weights that the recipe says to start from, if it does. */
export function startFromGivenWeights(backbone: VideoBackbone, { model }: TimeBalanceRecipe): WeightsReport | null {
  return model.pretrained === null ? null : importWeights(backbone, model.pretrained);
}

/** Backbone and projection head of stages A_I, A_D and A_S (method note 4.4). */
export function newPretextModel(recipe: TimeBalanceRecipe, clipBatches: ClipBatches): PretextModel {
  const backbone = newBackbone(recipe);
  const { backbone: name, embedding } = recipe.model;
  const hidden = name === 'r3d50' ? embedding : backbone.features;
  const head = new ProjectionHead(backbone.features, { hidden, dimensions: embedding });
  return new PretextModel(backbone, head, clipBatches);
}

/**
 * A classifier, from scratch or from a pre-trained backbone whose weights are copied.
 *
 * @param classes number of classes
 */
export function newClassifier(
  recipe: TimeBalanceRecipe,
  classes: number,
  options: { dropout: number; pretrained?: PretextModel },
): Classifier {
  const classifier = new Classifier(newBackbone(recipe), classes, { dropout: options.dropout });
  const { pretrained } = options;
  if (pretrained) scope(() => void classifier.backbone.loadStateDict(pretrained.backbone.stateDict()));
  return classifier;
}
