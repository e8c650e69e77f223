import type { Tensor } from '@chronotope/torch';
import {
  type BothSpaces,
  conceptAlignment,
  type DescriptionAxes,
  descriptionsAsCategories,
  membership,
  similarityShares,
} from '../../losses/concept-alignment.js';
import { runningUniformPrior, uniformPrior } from '../../losses/concepts.js';
import { crossViewCosineDistance, viewPairs } from '../../losses/cross-view.js';
import {
  nextCenter,
  selfDistillationLoss,
  type Temperatures,
  teacherProbabilities,
} from '../../losses/self-distillation.js';
import type { LssRecipe } from '../../recipes/lss.js';
import { outputSigns } from './collapse.js';
import type { ConceptAxes, ConceptScores, ConceptSpaces } from './concept-spaces.js';
import type { SelfDistillation } from './self-distillation.js';
import type { StepMemory } from './step-memory.js';

type ObjectiveSettings = LssRecipe['objective'];

/** The outputs of one batch: `[G, B, E]` of the teacher, without gradient, and `[V, B, E]` of the student. */
export interface ViewOutputs {
  teacher: Tensor;
  student: Tensor;
}

/** When a batch comes. */
export interface Moment {
  temperatures: Temperatures;
  /** Whether it is the first batch of an epoch. */
  startsEpoch: boolean;
  /** What becomes of centres and mean predictions after the step. */
  memory: StepMemory;
}

/** A scalar to minimise, and scalars to log. */
export interface Objective {
  loss: Tensor;
  metrics: Record<string, Tensor>;
}

/** The loss of a batch. It uses the centres and mean predictions from before its step, and says how they move on. */
export function objectiveOf(
  model: SelfDistillation,
  outputs: ViewOutputs,
  settings: ObjectiveSettings,
  moment: Moment,
): Objective {
  if (model.spaces) return inConceptSpaces(model.spaces, outputs, settings, moment);
  if (model.center) return ofLearntHead(model.center, outputs, settings, moment);
  return ofFeatures(outputs);
}

/** LSS: L = CD_c + CD_d + λ_CA CA + λ_UP (UP_c + UP_d) (method note 2.6), each term only if its weight is not 0. */
function inConceptSpaces(
  spaces: ConceptSpaces,
  outputs: ViewOutputs,
  settings: ObjectiveSettings,
  moment: Moment,
): Objective {
  const teacher = spaces.call(outputs.teacher);
  const student = spaces.call(outputs.student);
  const sum = new WeightedSum();
  const learn = (name: 'category' | 'description', space: ConceptAxes) => {
    const scores = { teacher: teacher[name]!, student: student[name]! };
    const { temperatures } = moment;
    const center = settings.center ? space.center : null;
    sum.add(name, settings[name], () => selfDistillationLoss(scores.teacher, scores.student, { temperatures, center }));
    sum.add(`${name}Uniform`, settings.uniform, () => priorIn(space, scores.student, settings, moment));
    sum.watch(name, teacherProbabilities(scores.teacher, { temperature: temperatures.teacher, center }));
    if (settings.center) moveCenter(space.center, scores.teacher, settings, moment);
  };
  learn('category', spaces.category);
  if (spaces.description) learn('description', spaces.description);
  sum.add('alignment', settings.alignment, () => alignmentOf(spaces, { teacher, student }, settings, moment));
  return sum.objective(topAgreement(teacher.category, student.category));
}

/** SVT and DINO: a learnt head without language. */
function ofLearntHead(
  center: Tensor,
  { teacher, student }: ViewOutputs,
  settings: ObjectiveSettings,
  moment: Moment,
): Objective {
  const { temperatures } = moment;
  const subtracted = settings.center ? center : null;
  const sum = new WeightedSum();
  sum.add('distillation', 1, () => selfDistillationLoss(teacher, student, { temperatures, center: subtracted }));
  sum.watch('output', teacherProbabilities(teacher, { temperature: temperatures.teacher, center: subtracted }));
  if (settings.center) moveCenter(center, teacher, settings, moment);
  return sum.objective(topAgreement(teacher, student));
}

/** Features compared as they are. */
function ofFeatures({ teacher, student }: ViewOutputs): Objective {
  const loss = crossViewCosineDistance(teacher, student);
  return { loss, metrics: { distance: loss } };
}

function priorIn(
  space: ConceptAxes,
  student: Tensor,
  settings: ObjectiveSettings,
  { temperatures, startsEpoch, memory }: Moment,
) {
  const mean = student.div(temperatures.student).softmax(-1).mean([0, 1]);
  if (settings.uniformKind !== 'neg-mean-log-running') return uniformPrior(mean, settings.uniformKind);
  const running = runningUniformPrior(mean, startsEpoch ? null : space.meanPrediction);
  memory.propose(space.meanPrediction, running.mean);
  return running.loss;
}

function alignmentOf(
  spaces: ConceptSpaces,
  scores: Record<keyof ViewOutputs, ConceptScores>,
  settings: ObjectiveSettings,
  { temperatures }: Moment,
): Tensor {
  const mode = settings.alignmentMode;
  const axes: DescriptionAxes = { mode, toCategories: toCategories(spaces, settings) };
  const both = ({ category, description, averaged }: ConceptScores, temperature: number): BothSpaces => ({
    category: category.div(temperature).logSoftmax(-1),
    description: descriptionsAsCategories((mode === 'aligned' ? averaged : description)!, temperature, axes),
  });
  const { alignmentDirection: direction, alignmentDivergence: divergence, alignmentCrossView } = settings;
  const [teacherViews, studentViews] = [scores.teacher.category.shape[0]!, scores.student.category.shape[0]!];
  const pairs = viewPairs(teacherViews, studentViews, { sameView: !alignmentCrossView });
  return conceptAlignment(both(scores.teacher, temperatures.teacher), both(scores.student, temperatures.student), {
    ...{ direction, divergence, pairs },
  });
}

function toCategories(spaces: ConceptSpaces, settings: ObjectiveSettings): Tensor | null {
  switch (settings.alignmentMode) {
    case 'aligned':
      return null;
    case 'prob-sum':
    case 'mean-score':
      return membership(spaces.categoryOf!, spaces.category.axes.shape[0]!);
    case 'similarity':
      return similarityShares(spaces.category.axes, spaces.description!.axes, settings.similarityTemperature);
  }
}

function moveCenter(
  center: Tensor,
  teacher: Tensor,
  { centerMomentum: momentum }: ObjectiveSettings,
  { memory }: Moment,
): void {
  memory.propose(center, nextCenter(center, teacher, { momentum }));
}

/** Share of videos in which teacher and student, looking at different global views, find the same output the highest. */
function topAgreement(teacher: Tensor, student: Tensor): Tensor {
  const other = Math.min(1, student.shape[0]! - 1);
  const [first, second] = [teacher.select(0, 0).argmax(-1), student.select(0, other).argmax(-1)];
  return first.eq(second).to({ dtype: 'float32' }).mean();
}

/** Terms of a loss, each logged under its name, and signs of collapse. */
class WeightedSum {
  readonly #terms: Tensor[] = [];
  readonly #metrics: Record<string, Tensor> = {};

  /** A term of weight 0 is not computed. */
  add(name: string, weight: number, term: () => Tensor): void {
    if (weight === 0) return;
    const value = term();
    this.#metrics[name] = value;
    this.#terms.push(value.mul(weight));
  }

  /** Logs how different the teacher's predictions are. */
  watch(name: string, probabilities: Tensor): void {
    const { entropy, information, used } = outputSigns(probabilities);
    Object.assign(this.#metrics, {
      [`${name}Entropy`]: entropy,
      [`${name}Information`]: information,
      [`${name}Used`]: used,
    });
  }

  objective(agreement: Tensor): Objective {
    return { loss: this.#terms.reduce((sum, term) => sum.add(term)), metrics: { ...this.#metrics, agreement } };
  }
}
