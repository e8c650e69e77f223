import { scope } from '@chronotope/torch';
import type { VideoBackbone } from '../../models/backbone.js';
import { Classifier } from '../../models/classifier.js';
import { ProjectionHead } from '../../models/projection-head.js';
import { createBackbone } from '../../models/registry.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { type ClipBatches, PretextModel } from './pretext-model.js';

/** The recipe's backbone, newly initialised. Its time slices match the local clips of pre-training. */
function newBackbone({ model, clips }: TimeBalanceRecipe): VideoBackbone {
  const slices = clips.localClips;
  if (model.backbone === 'r3d18') return createBackbone({ name: 'r3d18', slices });
  const { stemWidth, widths, blocks } = model;
  return createBackbone({
    name: 'small-r3d',
    stemWidth,
    widths,
    strides: widths.map((_, stage) => [stage === 1 ? 2 : 1, 2, 2] as const),
    blocksPerStage: blocks,
    slices,
  });
}

/** Backbone and projection head of stages A_I, A_D and A_S. */
export function newPretextModel(recipe: TimeBalanceRecipe, clipBatches: ClipBatches): PretextModel {
  const backbone = newBackbone(recipe);
  const head = new ProjectionHead(backbone.features, { dimensions: recipe.model.embedding });
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
