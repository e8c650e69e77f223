import { loadClip } from '../../models/clip/clip-weights.js';
import { ClipVideo } from '../../models/space-time/clip-video.js';
import type { LssRecipe } from '../../recipes/lss.js';
import type { TrainedMethod, VideoLanguage } from '../trained-method.js';
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
      return {
        module,
        backbone: module.backbone,
        get language() {
          return languageOf(recipe, module);
        },
      };
    },
    testLoader: (source, views) => testLoader(recipe, source, views),
  };
}

/** The words of the CLIP that a run began with: its text tower is not trained, and so not saved with the run. */
function languageOf({ model, head }: LssRecipe, { backbone }: DistilledNetwork): VideoLanguage | undefined {
  if (!(backbone instanceof ClipVideo) || model.pretrained === null || head.kind === 'dino') return undefined;
  const { clip } = loadClip(model.pretrained);
  return { clip, embed: (clips) => backbone.embed(clips) };
}
