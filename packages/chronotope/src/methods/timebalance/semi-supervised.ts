import { crossEntropyLoss, nn, noGrad, scope } from '@chronotope/torch';
import { meanTeacherLoss } from '../../losses/distillation.js';
import { pseudoLabelLoss } from '../../losses/pseudo-label.js';
import { averagingDecay, rampUp } from '../../losses/ramp-up.js';
import type { Classifier } from '../../models/classifier.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { shareRight } from '../classifier-loss.js';
import { type BothBatches, type BothLoaders, idsOf, semiSupervisedTraining, type Training } from './training.js';

/** The settings of the semi-supervised baselines: their own, and those that they share with the student. */
type Settings = Pick<TimeBalanceRecipe, 'student' | 'semiSupervised' | 'training'>;

/**
 * Pseudo-labels (Lee, ICML 2013 workshop): the network's own answers for the unlabelled clips are their labels.
 *
 * @param loaders clips in the view `clip`
 */
export function pseudoLabelTraining(
  model: Classifier,
  loaders: BothLoaders,
  { student, semiSupervised: { pseudoLabel }, training }: Settings,
): Training<BothBatches> {
  const both = semiSupervisedTraining(model, loaders, student, training.optimizer);
  const rise = Math.round(pseudoLabel.rampUp * both.steps);
  return {
    ...both,
    loss: ({ labelled, unlabelled }, step) => {
      const logits = model.call(labelled.views.clip!);
      const supervised = crossEntropyLoss(logits, labelled.labels!);
      const metrics = { supervised, accuracy: shareRight(logits, labelled.labels!) };
      const ids = idsOf({ labelled, unlabelled });
      if (unlabelled === null) return { loss: supervised, metrics, ids };
      const answers = model.call(unlabelled.views.clip!);
      const own = pseudoLabelLoss(answers, answers, { threshold: pseudoLabel.threshold });
      const factor = pseudoLabel.weight * rampUp(step, { steps: rise, shape: 'linear' });
      return { loss: supervised.add(own.loss.mul(factor)), metrics: { ...metrics, kept: own.kept }, ids };
    },
  };
}

/**
 * FixMatch for clips (Sohn et al., NeurIPS 2020): what the network is sure of for a weakly augmented clip is the label of
 * the same clip strongly augmented.
 *
 * @param loaders labelled clips in the view `clip`, unlabelled ones in `weak` and `strong`
 */
export function fixMatchTraining(
  model: Classifier,
  loaders: BothLoaders,
  { student, semiSupervised: { fixMatch }, training }: Settings,
): Training<BothBatches> {
  return {
    ...semiSupervisedTraining(model, loaders, student, training.optimizer),
    loss: ({ labelled, unlabelled }) => {
      const logits = model.call(labelled.views.clip!);
      const supervised = crossEntropyLoss(logits, labelled.labels!);
      const metrics = { supervised, accuracy: shareRight(logits, labelled.labels!) };
      const ids = idsOf({ labelled, unlabelled });
      if (unlabelled === null) return { loss: supervised, metrics, ids };
      const weak = noGrad(() => model.call(unlabelled.views.weak!));
      const { loss, kept } = pseudoLabelLoss(model.call(unlabelled.views.strong!), weak, fixMatch);
      return { loss: supervised.add(loss.mul(fixMatch.weight)), metrics: { ...metrics, kept }, ids };
    },
  };
}

/** A network and the exponential moving average of its weights. */
export class MeanTeacher extends nn.Module {
  /** @param average starts with the student's weights */
  constructor(
    readonly student: Classifier,
    readonly average: Classifier,
  ) {
    super();
    scope(() => void average.loadStateDict(student.stateDict()));
    average.requiresGrad_(false);
  }

  /** Logits of the student. */
  override forward(...inputs: Parameters<Classifier['forward']>): ReturnType<Classifier['forward']> {
    return this.student.forward(...inputs);
  }

  /**
   * θ' ← α θ' + (1 − α) θ after an optimiser step. Only weights are averaged: the running statistics of the batch
   * normalisation are those of the average's own forward passes, as in the paper's code.
   */
  update(step: number, decay: number): void {
    const keep = averagingDecay(step, decay);
    noGrad(() => {
      const current = this.student.namedParameters();
      for (const [name, parameter] of this.average.namedParameters()) {
        parameter.mul_(keep).add_(current.get(name)!, { alpha: 1 - keep });
      }
    });
  }
}

/**
 * Mean teacher (Tarvainen and Valpola, NeurIPS 2017): the network agrees with the average of its own weights about another
 * augmentation of the same clip. The average is what is kept.
 *
 * @param loaders clips in the views `weak` and `strong`, which are augmented alike
 */
export function meanTeacherTraining(
  pair: MeanTeacher,
  loaders: BothLoaders,
  { student, semiSupervised: { meanTeacher }, training }: Settings,
): Training<BothBatches> {
  const both = semiSupervisedTraining(pair.student, loaders, student, training.optimizer);
  if (student.backboneFactor === 0) pair.average.freezeBackbone();
  const rise = Math.round(meanTeacher.rampUp * both.steps);
  return {
    ...both,
    result: pair.average,
    afterStep: (step) => pair.update(step, meanTeacher.decay),
    loss: ({ labelled, unlabelled }, step) => {
      const factor = meanTeacher.weight * rampUp(step, { steps: rise });
      const answers = [labelled, unlabelled].flatMap((batch) => {
        if (batch === null) return [];
        const logits = pair.call(batch.views.strong!);
        const average = noGrad(() => pair.average.call(batch.views.weak!));
        return [
          { logits, consistency: meanTeacherLoss(logits, average, meanTeacher.distance), clips: batch.ids.length },
        ];
      });
      const clips = answers.reduce((sum, { clips }) => sum + clips, 0);
      const consistency = answers
        .map((one) => one.consistency.mul(one.clips / clips))
        .reduce((sum, part) => sum.add(part));
      const { logits } = answers[0]!;
      const supervised = crossEntropyLoss(logits, labelled.labels!);
      return {
        loss: supervised.add(consistency.mul(factor)),
        metrics: { supervised, accuracy: shareRight(logits, labelled.labels!), consistency },
        ids: idsOf({ labelled, unlabelled }),
      };
    },
  };
}
