import { FrameClip } from '../../models/clip/frame-clip.js';
import type { ClipRecipe } from '../../recipes/clip.js';
import type { TrainedMethod } from '../trained-method.js';
import { newClip, PRETRAIN, testLoader } from './pipeline.js';

/** What a run of CLIP leaves: an image and a text tower, of which the image tower sees the frames of a clip one by one. */
export function trainedClip(recipe: ClipRecipe): TrainedMethod {
  return {
    stages: [PRETRAIN],
    title: () => 'CLIP on frames and captions',
    mainStage: PRETRAIN,
    isShared: () => true,
    folderName: (stage) => stage,
    newNetwork: () => {
      const module = newClip(recipe);
      const backbone = new FrameClip(module.visual);
      return { module, backbone, language: { clip: module, embed: (clips) => backbone.embed(clips) } };
    },
    testLoader: (source, views) => testLoader(recipe, source, views),
  };
}
