import { noGrad, scope, type Tensor, tensor } from '@chronotope/torch';
import type { ClipLoader } from '../data/loader.js';
import type { VideoBackbone } from '../models/backbone.js';
import { meanOverClips, videoMajor } from './video-level.js';

/**
 * `pooled`: the feature map averaged over space and time, `[F]`. `slices`: averaged over space and over each of the
 * backbone's K spans of time, `[F × K]` (TCLR's retrieval keeps 4 time steps so).
 */
export const FEATURE_KINDS = ['pooled', 'slices'] as const;
export type FeatureKind = (typeof FEATURE_KINDS)[number];

/** Features of videos in the loader's order. */
export interface VideoFeatures {
  ids: string[];
  /** `[V, D]`, float32, on the CPU: the mean over the video's clips. */
  features: Tensor;
}

/** The features that a frozen backbone in evaluation mode gives the videos of a loader of test clips. */
export function videoFeatures(
  backbone: VideoBackbone,
  loader: ClipLoader,
  kind: FeatureKind = 'pooled',
): VideoFeatures {
  backbone.eval();
  const ids: string[] = [];
  const rows: Float32Array[] = [];
  for (const batch of loader.batches(0)) {
    ids.push(...batch.ids);
    scope(() =>
      noGrad(() => {
        const clips = videoMajor(batch.views.clips!);
        const features =
          kind === 'pooled'
            ? backbone.featureMap(clips).mean([2, 3, 4])
            : backbone.call(clips).flatten({ startDim: 1 });
        const means = meanOverClips(features, batch.ids.length).to({ device: 'cpu' });
        for (const row of means.unbind()) rows.push(row.data() as Float32Array);
      }),
    );
  }
  const width = rows[0]!.length;
  const all = new Float32Array(rows.length * width);
  for (const [index, row] of rows.entries()) all.set(row, index * width);
  return { ids, features: tensor(all, { shape: [rows.length, width] }) };
}
