import { noGrad, scope, type Tensor, tensor } from '@chronotope/torch';
import type { Batch, ClipLoader } from '../data/loader.js';
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
  return videoRows(loader, ({ views, ids }) => {
    const clips = videoMajor(views.clips!);
    const features =
      kind === 'pooled' ? backbone.featureMap(clips).mean([2, 3, 4]) : backbone.call(clips).flatten({ startDim: 1 });
    return meanOverClips(features, ids.length);
  });
}

/**
 * What `rowsOf` gives the videos of a loader of test clips, batch by batch and without gradients; damaged videos have no row.
 *
 * @param rowsOf gives the V videos of a batch float32 `[V, D]` on any device
 * @param onBatch is told how many videos are done
 */
export function videoRows(
  loader: ClipLoader,
  rowsOf: (batch: Batch) => Tensor,
  onBatch: (done: number) => void = () => {},
): VideoFeatures {
  const ids: string[] = [];
  const parts: Float32Array[] = [];
  for (const batch of loader.batches(0)) {
    ids.push(...batch.ids);
    parts.push(scope(() => noGrad(() => rowsOf(batch).to({ device: 'cpu' }).data() as Float32Array)));
    onBatch(ids.length);
  }
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return { ids, features: tensor(all, { shape: [ids.length, all.length / ids.length] }) };
}
