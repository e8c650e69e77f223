import { logSoftmax, oneHot, scope, softmax, type Tensor, tensor } from '@chronotope/torch';
import { groupBy } from '../data/group-by.js';
import { ChronotopeError } from '../errors.js';
import { randomStream } from '../random.js';
import { minimise } from './lbfgs.js';

/** Frozen features and what is known of them. */
export interface LabelledFeatures {
  /** `[N, F]` */
  features: Tensor;
  /** Class of each row. */
  labels: readonly number[];
  /** For each row the group that validation must not tear apart; `undefined` for a row of its own. */
  groups?: readonly (string | undefined)[];
}

/** A linear classifier of standardised features. */
export interface LinearProbe {
  /** λ of the L2 penalty. */
  penalty: number;
  /** How λ was chosen; `folds` is 0 when the labels are too few for validation and the default was taken. */
  validation: { folds: number; losses: { penalty: number; loss: number }[] };
  /** Whether the optimiser reached its tolerance. */
  converged: boolean;
  /** Logits `[Q, C]`, float64, of features `[Q, F]`: linear in them, apart from the bias. */
  logits(features: Tensor): Tensor;
  /** Class probabilities `[Q][C]` of features `[Q, F]`. */
  predict(features: Tensor): Float32Array[];
}

export interface LinearProbeOptions {
  classes: number;
  /** The λ to choose from. Default 10^-5, 10^-4, … 10. */
  penalties?: readonly number[];
  /** Validation folds at most. Default 5. */
  folds?: number;
  /** Decides which videos form a fold. Default 0. */
  seed?: number;
}

const PENALTIES = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10];
const DEFAULT_PENALTY = 1e-2;

/**
 * Linear probe: multinomial logistic regression on frozen features, each standardised with the training part's mean and
 * standard deviation. It minimises, with L-BFGS in float64,
 *
 *     (1/N) Σ_i -log softmax(W x_i + b)[y_i]  +  (λ/2) ‖W‖²
 *
 * λ is the one with the least mean loss over stratified validation folds of the training part (the larger of equal
 * ones), whole groups in one fold; then all of the training part is fitted. The problem is convex: there is no learning
 * rate, and the seed decides the folds only.
 *
 * @throws ChronotopeError `one-class` when the training part has fewer than two classes
 */
export function fitLinearProbe(training: LabelledFeatures, options: LinearProbeOptions): LinearProbe {
  const { classes, penalties = PENALTIES, folds = 5, seed = 0 } = options;
  if (new Set(training.labels).size < 2) {
    throw new ChronotopeError('one-class', 'a linear probe needs labelled training videos of two classes', {
      hint: 'Label videos of further classes.',
    });
  }
  const foldOf = validationFolds(training, folds, seed);
  const used = foldOf.reduce((most, fold) => Math.max(most, fold), -1) + 1;
  const descending = penalties.toSorted((a, b) => b - a);
  const losses = used < 2 ? [] : validationLosses(training, classes, descending, foldOf);
  const best = losses.reduce((least, one) => (one.loss < least.loss ? one : least), losses[0] ?? noValidation);
  const fitted = fitPath(training, classes, [...descending.filter((p) => p > best.penalty), best.penalty]).at(-1)!;
  return { penalty: best.penalty, validation: { folds: used < 2 ? 0 : used, losses }, ...fitted };
}

const noValidation = { penalty: DEFAULT_PENALTY, loss: Number.NaN };

/**
 * Deals the groups of each class to the folds in turn, in random order. There are as many folds as the class with the
 * most groups can fill, `most` at most.
 *
 * @returns the fold of each row; -1 for the only group of a class, which no fit can do without
 */
export function validationFolds(
  { labels, groups = [] }: Pick<LabelledFeatures, 'labels' | 'groups'>,
  most: number,
  seed: number,
): number[] {
  const rows = labels.map((label, row) => ({ row, label, group: groups[row] ?? `\0${row}` }));
  // A group with videos of several classes is dealt with its first one's.
  const units = [...groupBy(rows, ({ group }) => group).values()];
  const byClass = [...groupBy(units, (unit) => String(unit[0]!.label)).values()].filter(({ length }) => length > 1);
  const folds = Math.min(most, Math.max(0, ...byClass.map(({ length }) => length)));
  const foldOf = labels.map(() => -1);
  const random = randomStream(seed, 'linear-probe');
  let next = 0;
  for (const ofClass of byClass) {
    for (const position of random.permutation(ofClass.length)) {
      for (const { row } of ofClass[position]!) foldOf[row] = next % folds;
      next++;
    }
  }
  return foldOf;
}

/** Mean loss of the validation rows for each λ, every fold validated once. */
function validationLosses(
  { features, labels }: LabelledFeatures,
  classes: number,
  penalties: readonly number[],
  foldOf: readonly number[],
): { penalty: number; loss: number }[] {
  const rows = [...labels.keys()];
  const validated = rows.filter((row) => foldOf[row]! >= 0);
  const sums = penalties.map(() => 0);
  for (const fold of new Set(validated.map((row) => foldOf[row]))) {
    const [inside, outside] = [rows.filter((row) => foldOf[row] === fold), rows.filter((row) => foldOf[row] !== fold)];
    scope(() => {
      const training = { features: selectRows(features, outside), labels: outside.map((row) => labels[row]!) };
      const held = selectRows(features, inside);
      for (const [index, { predict }] of fitPath(training, classes, penalties).entries()) {
        for (const [k, probabilities] of predict(held).entries()) {
          sums[index]! -= Math.log(Math.max(1e-12, probabilities[labels[inside[k]!]!]!));
        }
      }
    });
  }
  return penalties.map((penalty, index) => ({ penalty, loss: sums[index]! / validated.length }));
}

/** Fits for each λ, largest first, each fit starting where the last one ended. */
function fitPath(
  { features, labels }: LabelledFeatures,
  classes: number,
  penalties: readonly number[],
): Pick<LinearProbe, 'converged' | 'logits' | 'predict'>[] {
  const [rows, width] = features.shape as [number, number];
  const { mean, scale } = standardisation(features);
  const standardise = (x: Tensor) => {
    const size = [1, width];
    return x
      .to({ dtype: 'float64' })
      .sub(tensor(mean, { shape: size }))
      .mul(tensor(scale, { shape: size }));
  };
  const parameters = (point: Float64Array) => ({
    weight: tensor(point.subarray(0, classes * width), { shape: [classes, width] }),
    bias: tensor(point.subarray(classes * width), { shape: [classes] }),
  });
  return scope(() => {
    const x = standardise(features);
    const target = oneHot(tensor(BigInt64Array.from(labels, BigInt)), { numClasses: classes }).to({ dtype: 'float64' });
    let point: Float64Array = new Float64Array(classes * (width + 1));
    return penalties.map((penalty) => {
      const found = minimise(
        (at) =>
          scope(() => {
            const { weight, bias } = parameters(at);
            const logProbabilities = logSoftmax(x.matmul(weight.transpose(0, 1)).add(bias), 1);
            const loss = logProbabilities.mul(target).sum().item() / -rows;
            const error = logProbabilities.exp().sub(target).div(rows);
            const weightGradient = error.transpose(0, 1).matmul(x).add(weight.mul(penalty));
            const gradient = new Float64Array(at.length);
            gradient.set(weightGradient.flatten().data() as Float64Array);
            gradient.set(error.sum(0).data() as Float64Array, classes * width);
            return { value: loss + (penalty / 2) * weight.square().sum().item(), gradient };
          }),
        point,
      );
      point = found.point;
      const fitted = found.point;
      const logits = (queries: Tensor) =>
        scope(() => {
          const { weight, bias } = parameters(fitted);
          return standardise(queries).matmul(weight.transpose(0, 1)).add(bias);
        });
      const predict = (queries: Tensor) =>
        scope(() =>
          softmax(logits(queries), 1)
            .unbind()
            .map((row) => Float32Array.from(row.data() as Float64Array)),
        );
      return { converged: found.converged, logits, predict };
    });
  });
}

/** Mean and inverse standard deviation of each feature; features that do not vary get 0 and add nothing. */
function standardisation(features: Tensor): { mean: Float64Array; scale: Float64Array } {
  return scope(() => {
    const values = features.to({ dtype: 'float64' });
    const mean = values.mean(0);
    const deviation = values.sub(mean).square().mean(0).sqrt().data() as Float64Array;
    const least = 1e-9 * Math.max(...deviation);
    return {
      mean: mean.data() as Float64Array,
      scale: deviation.map((sigma) => (sigma > least ? 1 / sigma : 0)),
    };
  });
}

function selectRows(features: Tensor, rows: readonly number[]): Tensor {
  return features.indexSelect(0, tensor(BigInt64Array.from(rows, BigInt)));
}
