import type { Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import type { Bootstrap, Interval } from './bootstrap.js';
import { fitLinearProbe, type LinearProbe } from './linear-probe.js';
import { centroidScores, knnScores, nearestNeighbours } from './nearest-neighbours.js';
import { type Recognition, recognition } from './recognition.js';
import { foundAt, retrieve } from './retrieval.js';
import { fitSgdProbe, type SgdProbe } from './sgd-probe.js';
import { rightAt } from './video-level.js';

/** What can be asked of frozen features. */
export const FEATURE_PROTOCOLS = ['knn', 'linear', 'linear-sgd', 'retrieval'] as const;
export type FeatureProtocol = (typeof FEATURE_PROTOCOLS)[number];

export interface ProbeSettings {
  protocol: FeatureProtocol;
  /** Numbers of neighbours. Default 1, 5, 10, 20, 100, 200 for k-NN and 1, 5, 10, 20, 50 for retrieval. */
  k?: readonly number[];
  /** Temperature of the k-NN votes. Default 0.07. */
  temperature?: number;
}

interface MeasureOptions extends ProbeSettings {
  /** Over the test videos. */
  bootstrap: Bootstrap;
}

/** Features of videos with what is known of them. */
export interface FeatureSet {
  /** `[N, D]` */
  features: Tensor;
  ids: readonly string[];
  labels: readonly number[];
  groups: readonly (string | undefined)[];
}

/** One measure of a set of features. */
export interface FeatureResult {
  /** Such as `k = 5`, `linear` or `R@10`. */
  name: string;
  interval: Interval;
  /** What each test video contributes to the mean: for accuracies 1 or 0. */
  perVideo: number[];
  /** For classifiers. */
  recognition?: Recognition;
  /** For the linear probe. */
  probe?: Omit<LinearProbe, 'logits' | 'predict'>;
  /** For the linear probe by SGD. */
  sgdProbe?: Omit<SgdProbe, 'predict'>;
}

/** Neighbours asked for when nothing is said: those of the k-NN literature, and of the retrieval tables of TCLR and CCL. */
const DEFAULT_K = { knn: [1, 5, 10, 20, 100, 200], retrieval: [1, 5, 10, 20, 50] } as const;

/**
 * Evaluates features of test videos against those of labelled training videos.
 *
 * @throws ChronotopeError `gallery-too-small` when every k is larger than the training part
 */
export function measureFeatures(
  test: FeatureSet,
  training: FeatureSet,
  classes: readonly string[],
  options: MeasureOptions,
): FeatureResult[] {
  switch (options.protocol) {
    case 'knn':
      return knn(test, training, classes, options);
    case 'linear': {
      const probe = fitLinearProbe(training, { classes: classes.length, seed: options.bootstrap.settings.seed });
      const { predict, logits: _, ...fitted } = probe;
      return [{ ...classifier('linear', test, predict(test.features), classes, options), probe: fitted }];
    }
    case 'linear-sgd': {
      const { predict, ...fitted } = fitSgdProbe(training, {
        classes: classes.length,
        seed: options.bootstrap.settings.seed,
      });
      return [{ ...classifier('linear, SGD', test, predict(test.features), classes, options), sgdProbe: fitted }];
    }
    case 'retrieval': {
      const results = retrieve(test, training);
      const columns = usableK(options, training).map((k) => ({ name: `R@${k}`, perVideo: foundAt(results, k) }));
      columns.push({ name: 'mAP', perVideo: results.map(({ averagePrecision }) => averagePrecision) });
      return columns.map((column) => ({ ...column, interval: options.bootstrap.share(column.perVideo) }));
    }
  }
}

function knn(
  test: FeatureSet,
  training: FeatureSet,
  classes: readonly string[],
  options: MeasureOptions,
): FeatureResult[] {
  const ks = usableK(options, training);
  const neighbours = nearestNeighbours(test.features, training.features, Math.max(...ks));
  const { temperature } = options;
  const voted = ks.map((k) => {
    const scores = knnScores(neighbours, training.labels, { k, classes: classes.length, temperature });
    return classifier(`k = ${k}`, test, scores, classes, options);
  });
  const centroids = centroidScores(test.features, training.features, training.labels, classes.length);
  return [...voted, classifier('nearest centroid', test, centroids, classes, { ...options, scores: 'ranking' })];
}

function classifier(
  name: string,
  test: FeatureSet,
  scores: readonly Float32Array[],
  classes: readonly string[],
  options: Parameters<typeof recognition>[3],
): FeatureResult {
  const predictions = test.ids.map((id, row) => ({ id, probabilities: scores[row]! }));
  const truth = new Map(test.ids.map((id, row) => [id, test.labels[row]!]));
  const result = recognition(predictions, truth, classes, options);
  const perVideo = rightAt(predictions, test.labels, 1);
  return { name, interval: result.top1Interval, perVideo, recognition: result };
}

/** The numbers of neighbours that the training part can give. */
function usableK({ protocol, k }: ProbeSettings, { labels }: FeatureSet): number[] {
  const wanted = k ?? DEFAULT_K[protocol === 'retrieval' ? 'retrieval' : 'knn'];
  const usable = wanted.filter((one) => one <= labels.length);
  if (usable.length > 0) return usable;
  throw new ChronotopeError('gallery-too-small', `only ${labels.length} labelled training videos to search`, {
    hint: `Ask for at most ${labels.length} neighbours.`,
  });
}
