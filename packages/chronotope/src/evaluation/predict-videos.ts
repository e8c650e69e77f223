import { noGrad, scope } from '@chronotope/torch';
import type { ClipLoader } from '../data/loader.js';
import type { Classifier } from '../models/classifier.js';
import { type ClipAverage, type VideoPrediction, videoMajor, videoProbabilities } from './video-level.js';

/** Class probabilities of every video of the loader, averaged over its test clips. */
export function predictVideos(
  model: Classifier,
  loader: ClipLoader,
  average: ClipAverage = 'probabilities',
): VideoPrediction[] {
  model.eval();
  const predictions: VideoPrediction[] = [];
  for (const { views, ids } of loader.batches(0)) {
    scope(() =>
      noGrad(() => {
        const logits = model.call(videoMajor(views.clips!));
        const rows = videoProbabilities(logits, ids.length, average).to({ device: 'cpu' }).unbind();
        for (const [index, row] of rows.entries()) {
          predictions.push({ id: ids[index]!, probabilities: row.data() as Float32Array });
        }
      }),
    );
  }
  return predictions;
}
