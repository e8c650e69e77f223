import { noGrad, scope, type Tensor } from '@chronotope/torch';
import type { ClipLoader } from '../../data/loader.js';
import { videoMajor } from '../../evaluation/video-level.js';
import { clipSimilarity, meanOffDiagonal } from '../../losses/similarity.js';
import type { VideoBackbone } from '../../models/backbone.js';

/**
 * Stage C: the temporal similarity score of every video of the loader (TSTR): mean off-diagonal similarity of its
 * clips, averaged over the teachers.
 *
 * @param features maps clips `[N, 3, T, S, S]` to pooled features `[N, F]`, one function a teacher
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

/** A backbone's features, mean over space and time, for {@link similarityScores}. */
export function pooledFeatures(backbone: VideoBackbone): (clips: Tensor) => Tensor {
  return (clips) => scope(() => backbone.featureMap(clips).mean([2, 3, 4]));
}
