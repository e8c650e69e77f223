import { nn, noGrad, scope, type Tensor } from '@chronotope/torch';
import { Classifier } from '../../models/classifier.js';
import { createImageBackbone, FrameResNet } from '../../models/frame-resnet.js';
import { importWeights } from '../../models/weights/import-weights.js';
import type { WeightsReport } from '../../models/weights/report.js';
import type { FramesRecipe } from '../../recipes/frames.js';

type Trunk = FramesRecipe['training']['trunk'];

/**
 * An image network on each frame, averaged over time and space, dropout, and one linear layer: the classifier of CCL's
 * transfer experiments (note 6.1 and 6.2).
 */
export class FrameClassifier extends Classifier<FrameResNet> {
  readonly #trunk: Trunk;

  constructor(backbone: FrameResNet, classes: number, { dropout, trunk }: { dropout: number; trunk: Trunk }) {
    super(backbone, classes, { dropout });
    this.#trunk = trunk;
    if (trunk !== 'fine-tuned') backbone.freeze();
    // As ImageNet's linear protocol starts the layer; its large learning rates want small weights.
    nn.init.normal_(this.fc.weight, 0, 0.01);
    nn.init.zeros_(this.fc.bias!);
  }

  /** A frozen trunk stays in evaluation mode: its batch statistics are part of it. */
  override train(mode = true): this {
    super.train(mode);
    if (this.#trunk === 'frozen') this.backbone.eval();
    return this;
  }

  override features(clips: Tensor): Tensor {
    return this.#trunk === 'fine-tuned' ? super.features(clips) : scope(() => noGrad(() => super.features(clips)));
  }
}

function newTrunk({ model }: FramesRecipe): FrameResNet {
  const { backbone, width, depths } = model;
  return new FrameResNet(createImageBackbone(backbone, { width: width ?? undefined, depths: depths ?? undefined }));
}

/** A classifier with newly initialised weights. */
export function newFrameClassifier(recipe: FramesRecipe, classes: number): FrameClassifier {
  return new FrameClassifier(newTrunk(recipe), classes, recipe.training);
}

/** Loads the weights that the recipe says to start from, if it does. */
export function startFromGivenWeights({ backbone }: FrameClassifier, { model }: FramesRecipe): void {
  if (model.pretrained !== null) importWeights(backbone, model.pretrained);
}

/**
 * Says before a run starts whether the network can use its frames, and its file of weights.
 *
 * @returns what of the file will be used, or null without one
 * @throws ChronotopeError `input-too-small`, `weights-differ`; TorchError `io` for an unusable file
 */
export function checkNetwork(recipe: FramesRecipe): WeightsReport | null {
  const trunk = newTrunk(recipe);
  try {
    trunk.checkClips({ frames: recipe.clips.frames, size: recipe.inputSize });
    return recipe.model.pretrained === null ? null : importWeights(trunk, recipe.model.pretrained);
  } finally {
    trunk.dispose();
  }
}
