import { crossEntropyLoss, type Tensor } from '@chronotope/torch';
import type { Batch } from '../data/loader.js';
import type { Classifier } from '../models/classifier.js';
import type { StepLoss } from '../training/optimizer-step.js';

/** The cross-entropy of a classifier on labelled clips, the view `clip` of a batch, and how many it gets right. */
export function classifierLoss(model: Classifier): (batch: Batch) => StepLoss {
  return ({ views, labels, ids }) => {
    const logits = model.call(views.clip!);
    return { loss: crossEntropyLoss(logits, labels!), metrics: { accuracy: shareRight(logits, labels!) }, ids };
  };
}

/** Share of rows whose largest logit is that of the label: a scalar. */
export function shareRight(logits: Tensor, labels: Tensor): Tensor {
  return logits.argmax(1).eq(labels).to({ dtype: 'float32' }).mean();
}
