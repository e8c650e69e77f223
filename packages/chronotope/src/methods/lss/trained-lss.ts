import type { LssRecipe } from '../../recipes/lss.js';
import type { TrainedMethod } from '../trained-method.js';
import { newNetwork } from './networks.js';
import { NETWORK_STAGES, type NetworkStage, STAGE_TITLES } from './pipeline.js';
import { testLoader } from './views.js';

/** What a run of LSS leaves: networks that no label had a part in. */
export function trainedLss(recipe: LssRecipe): TrainedMethod {
  return {
    stages: NETWORK_STAGES,
    title: (stage) => STAGE_TITLES[stage as NetworkStage],
    mainStage: 'teacher',
    isShared: () => true,
    folderName: (stage) => stage,
    newNetwork: () => {
      const module = newNetwork(recipe);
      return { module, backbone: module.backbone };
    },
    testLoader: (source, views) => testLoader(recipe, source, views),
  };
}
