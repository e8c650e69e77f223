import { noGrad, scope, type Tensor } from '@chronotope/torch';
import type { ClipLoader } from '../../data/loader.js';
import { videoMajor } from '../../evaluation/video-level.js';
import { clipSimilarity, meanOffDiagonal } from '../../losses/similarity.js';
import type { VideoBackbone } from '../../models/backbone.js';
import type { Classifier } from '../../models/classifier.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import type { PretextModel } from './pretext-model.js';

/** What the similarity score compares of clips (method note 3, "representation"). */
export type SimilaritySource = TimeBalanceRecipe['similarity']['source'];

/** What can be compared of a pre-trained network; it is the same for all label draws. */
export type PretrainedSource = Extract<SimilaritySource, 'pretrained' | 'projection'>;

/** Whether scores compare clips as pre-trained networks see them, not as fine-tuned teachers do. */
export function isOfPretraining(source: SimilaritySource): source is PretrainedSource {
  return source === 'pretrained' || source === 'projection';
}

/**
 * Stage C: the temporal similarity score of every video of the loader (TSTR): mean off-diagonal similarity of its
 * clips, averaged over the teachers.
 *
 * @param features maps clips `[N, 3, T, S, S]` to what is compared, `[N, F]`, one function a teacher
 */
export function similarityScores(
  features: readonly ((clips: Tensor) => Tensor)[],
  loader: ClipLoader,
): Map<string, number> {
  const scores = new Map<string, number>();
  for (const { views, ids } of loader.batches(0)) {
    scope(() =>
      noGrad(() => {
        const clips = videoMajor(views.clips!);
        const perTeacher = features.map((extract) =>
          meanOffDiagonal(clipSimilarity(extract(clips).reshape([ids.length, views.clips!.shape[0]!, -1]))),
        );
        const mean = perTeacher.reduce((sum, score) => sum.add(score)).div(perTeacher.length);
        for (const [index, score] of (mean.data() as Float32Array).entries()) scores.set(ids[index]!, score);
      }),
    );
  }
  return scores;
}

/** What of a pre-trained network {@link similarityScores} compares; it is put into evaluation mode. */
export function pretrainedFeatures(model: PretextModel, source: PretrainedSource): (clips: Tensor) => Tensor {
  const { backbone, head } = model.eval();
  return source === 'pretrained'
    ? (clips) => pooled(backbone, clips)
    : (clips) => scope(() => head.project(pooled(backbone, clips)));
}

/** What of a fine-tuned teacher {@link similarityScores} compares; it is put into evaluation mode. */
export function teacherFeatures(
  teacher: Classifier,
  source: Exclude<SimilaritySource, PretrainedSource>,
): (clips: Tensor) => Tensor {
  const { backbone } = teacher.eval();
  return source === 'fine-tuned' ? (clips) => pooled(backbone, clips) : (clips) => teacher.call(clips);
}

/** The mean over space and time: clips may have fewer time steps than pre-training has slices. */
function pooled(backbone: VideoBackbone, clips: Tensor): Tensor {
  return scope(() => backbone.featureMap(clips).mean([2, 3, 4]));
}
