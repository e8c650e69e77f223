import { FrameResNet } from '../../models/frame-resnet.js';
import type { CclRecipe } from '../../recipes/ccl.js';
import type { TrainedMethod } from '../trained-method.js';
import { newModel } from './networks.js';
import { officialState } from './official-state.js';
import { PRETRAIN, testLoader } from './pipeline.js';

/** What a run of CCL leaves: one image encoder, which sees the frames of a clip one by one. */
export function trainedCcl(recipe: CclRecipe): TrainedMethod {
  return {
    stages: [PRETRAIN],
    title: () => `image encoder, ${recipe.objective.kind}`,
    mainStage: PRETRAIN,
    isShared: () => true,
    folderName: (stage) => stage,
    newNetwork: () => {
      const module = newModel(recipe);
      const content = () => ({
        epoch: recipe.pretrain.epochs,
        arch: recipe.model.backbone,
        state_dict: new Map([...officialState(module)].map(([key, value]) => [`module.${key}`, value])),
      });
      return {
        module,
        backbone: new FrameResNet(module.query.backbone),
        exported: module.query,
        officialCheckpoint: { format: 'moco', content },
      };
    },
    testLoader: (source, views) => testLoader(recipe, source, views),
  };
}
