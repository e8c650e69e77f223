import {
  crossEntropyLoss,
  manualSeed,
  nn,
  noGrad,
  optim,
  scope,
  softmax,
  type Tensor,
  tensor,
} from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import { randomStream } from '../random.js';
import { type LabelledFeatures, validationFolds } from './linear-probe.js';

/** Settings of {@link fitSgdProbe}. */
export interface SgdProbeOptions {
  classes: number;
  /** The rates to choose from, at the start of the cosine. Default 0.001, 0.01, … 10. */
  learningRates?: readonly number[];
  /** Passes over the features. Default 100. */
  epochs?: number;
  /** Videos in a step. Default 16. */
  batch?: number;
  /** Decides which videos are held out, the first weights and the order. Default 0. */
  seed?: number;
}

/** A linear classifier of features as they are. */
export interface SgdProbe {
  learningRate: number;
  /** How it was chosen; no losses where the labels are too few to hold any out, and the default was taken. */
  validation: { learningRate: number; loss: number }[];
  /** Class probabilities `[Q][C]` of features `[Q, F]`. */
  predict(features: Tensor): Float32Array[];
}

const LEARNING_RATES = [1e-3, 1e-2, 1e-1, 1, 10];
const DEFAULT_LEARNING_RATE = 0.1;
const FOLDS = 5;

/**
 * The linear probe of SVT's code (eval_linear.py): one linear layer, weights from N(0, 0.01²), cross-entropy, SGD with momentum
 * 0.9 and no weight decay, a learning rate that falls along a cosine from epoch to epoch. The features are computed once,
 * without augmentation. SVT's own rate (6·10⁻⁵ for its batch of 16) is far too small for most features, so it is the one of several
 * with the least loss on a fifth of the training part, which is set aside group by group; then all of it is trained on.
 *
 * @throws ChronotopeError `one-class` when the training part has fewer than two classes
 */
export function fitSgdProbe(training: LabelledFeatures, options: SgdProbeOptions): SgdProbe {
  const { learningRates = LEARNING_RATES, seed = 0 } = options;
  const { labels } = training;
  if (new Set(labels).size < 2) {
    throw new ChronotopeError('one-class', 'a linear probe needs labelled training videos of two classes', {
      hint: 'Label videos of further classes.',
    });
  }
  const rows = [...labels.keys()];
  const foldOf = validationFolds(training, FOLDS, seed);
  const [inside, outside] = [rows.filter((row) => foldOf[row] !== 0), rows.filter((row) => foldOf[row] === 0)];
  const validation =
    outside.length === 0
      ? []
      : learningRates.map((learningRate) => {
          const predict = fitted(part(training, inside), learningRate, options);
          const probabilities = scope(() => predict(part(training, outside).features));
          const losses = outside.map((row, k) => -Math.log(Math.max(1e-12, probabilities[k]![labels[row]!]!)));
          return { learningRate, loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length };
        });
  const best = validation.reduce((least, one) => (one.loss < least.loss ? one : least), validation[0] ?? UNTRIED);
  return { learningRate: best.learningRate, validation, predict: fitted(training, best.learningRate, options) };
}

const UNTRIED = { learningRate: DEFAULT_LEARNING_RATE, loss: Number.NaN };

/** Features and labels of a step. */
export interface ProbeBatch {
  /** `[B, F]` */
  features: Tensor;
  /** int64 `[B]` */
  labels: Tensor;
}

/** Trains a linear layer in place; the rate of epoch e is `learningRate · (1 + cos(π e / epochs)) / 2`. */
export function trainLinear(
  layer: nn.Linear,
  batches: (epoch: number) => Iterable<ProbeBatch>,
  { learningRate, epochs }: { learningRate: number; epochs: number },
): void {
  const optimizer = new optim.SGD(layer.parameters(), { lr: learningRate, momentum: 0.9 });
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const group of optimizer.paramGroups) {
      group.lr = (learningRate * (1 + Math.cos((Math.PI * epoch) / epochs))) / 2;
    }
    for (const { features, labels } of batches(epoch)) {
      scope(() => {
        optimizer.zeroGrad();
        crossEntropyLoss(layer.call(features), labels).backward();
        optimizer.step();
      });
    }
  }
  optimizer.dispose();
}

/** Trains a new layer and gives what it predicts. */
function fitted(
  training: LabelledFeatures,
  learningRate: number,
  { classes, epochs = 100, batch = 16, seed = 0 }: SgdProbeOptions,
): SgdProbe['predict'] {
  const count = training.labels.length;
  const width = training.features.shape[1]!;
  manualSeed(seed);
  const layer = new nn.Linear(width, classes);
  nn.init.normal_(layer.weight, 0, 0.01);
  nn.init.zeros_(layer.bias!);
  const batches = (epoch: number) => {
    const order = randomStream(seed, 'sgd-probe', epoch).permutation(count);
    return Array.from({ length: Math.ceil(count / batch) }, (_, step) => {
      const { features, labels } = part(training, order.slice(step * batch, (step + 1) * batch));
      return { features, labels: tensor(BigInt64Array.from(labels, BigInt)) };
    });
  };
  scope(() => trainLinear(layer, batches, { learningRate, epochs }));
  const [weight, bias] = [layer.weight, layer.bias!].map((values) => values.data() as Float32Array);
  layer.dispose();
  return (features) =>
    scope(() =>
      noGrad(() => {
        const scores = features
          .matmul(tensor(weight!, { shape: [classes, width] }).transpose(0, 1))
          .add(tensor(bias!, { shape: [classes] }));
        return softmax(scores, 1)
          .unbind()
          .map((row) => row.data() as Float32Array);
      }),
    );
}

/** Some rows of features with their labels. */
function part({ features, labels }: LabelledFeatures, rows: readonly number[]): LabelledFeatures {
  const index = tensor(BigInt64Array.from(rows, BigInt));
  return { features: features.indexSelect(0, index), labels: rows.map((row) => labels[row]!) };
}
