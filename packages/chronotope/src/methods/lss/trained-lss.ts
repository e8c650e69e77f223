import { ClipVideo } from '../../models/space-time/clip-video.js';
import type { LssRecipe } from '../../recipes/lss.js';
import type { TrainedMethod, TrainedNetwork } from '../trained-method.js';
import { type DistilledNetwork, newNetwork } from './networks.js';
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
      return { module, backbone: module.backbone, ...languageOf(module, recipe) };
    },
    testLoader: (source, views) => testLoader(recipe, source, views),
  };
}

/** A network that started from a CLIP stays in the space of its texts, which is the point of LSS. */
function languageOf({ backbone }: DistilledNetwork, { model }: LssRecipe): Pick<TrainedNetwork, 'language'> {
  if (!(backbone instanceof ClipVideo) || model.pretrained === null) return {};
  return { language: { clip: { file: model.pretrained }, embed: (clips) => backbone.embed(clips) } };
}
