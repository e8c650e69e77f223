import { type nn, optim, scope } from '@chronotope/torch';
import type { LssRecipe } from '../../recipes/lss.js';
import { cosineSchedule } from '../../training/cosine-schedule.js';
import { namedSchedule, type Schedule } from '../../training/schedule.js';
import type { DistilledNetwork } from './networks.js';

type TrainSettings = LssRecipe['train'];

/** Videos in a step that the learning rates of recipes are meant for. */
const REFERENCE_BATCH = 256;

/** How one parameter is trained. */
interface ParameterRule {
  /** A new part that looks along time, and not one that an image model has. */
  temporal: boolean;
  decayed: boolean;
  /** 0 for embeddings, k for block k counted from 1, depth + 1 for what comes after the blocks. */
  layer: number;
}

/** The rule of a parameter of a {@link DistilledNetwork}; names are those of its state dict. */
export function ruleOf(
  name: string,
  { ndim }: Pick<nn.Parameter, 'ndim'>,
  { depth, decayEmbeddings }: { depth: number; decayEmbeddings: boolean },
): ParameterRule {
  const block = /(?:resblocks|blocks|temporal)\.(\d+)\./.exec(name)?.[1];
  const isEmbedding = /(class_embedding|positional_embedding|cls_token|pos_embed|time_embed|temporal_embed)$/.test(
    name,
  );
  const isFirst = isEmbedding || /(conv1|patch_embed|ln_pre)\b/.test(name);
  return {
    temporal: /(^|\.)(temporal|temporal_[a-z0-9]+|timeattn|norm3|time_embed)(\.|$)/.test(name),
    // DINO's rule: vectors and biases have no weight decay.
    decayed: ndim !== 1 && !name.endsWith('.bias') && (decayEmbeddings || !isEmbedding),
    layer: block !== undefined ? Number(block) + 1 : isFirst ? 0 : depth + 1,
  };
}

/** AdamW on the student, with gradients clipped and its last layer resting as the recipe says. */
export class StudentOptimizer extends optim.AdamW {
  readonly #settings: TrainSettings;
  readonly #network: DistilledNetwork;
  readonly #weightDecay: (step: number) => number;
  readonly #stepsPerEpoch: number;
  readonly #decayedGroups: ReadonlySet<number>;
  #lastLayerRests = false;

  /** @param steps in all, and of an epoch */
  constructor(network: DistilledNetwork, recipe: LssRecipe, { steps, perEpoch }: { steps: number; perEpoch: number }) {
    const groups = parameterGroups(network, recipe);
    super(groups, { lr: recipe.train.learningRate, weightDecay: 0 });
    this.#settings = recipe.train;
    this.#network = network;
    this.#stepsPerEpoch = perEpoch;
    const { weightDecay: from, weightDecayEnd: to } = recipe.train;
    this.#weightDecay = cosineSchedule({ from, to, steps });
    this.#decayedGroups = new Set([...groups.keys()].filter((index) => groups[index]!.decayed));
  }

  /** Sets what depends on the step, counted from 0; call it before the gradients are used. */
  prepare(step: number): void {
    const weightDecay = this.#weightDecay(step);
    for (const index of this.#decayedGroups) this.paramGroups[index]!.weightDecay = weightDecay;
    this.#lastLayerRests = Math.floor(step / this.#stepsPerEpoch) < this.#settings.freezeLastLayerEpochs;
  }

  override step(): void {
    const { clipEach } = this.#settings;
    if (clipEach !== null) scope(() => void optim.clipGradNormPerTensor_(this.#network.parameters(), clipEach));
    if (this.#lastLayerRests) this.#network.head?.lastLayer.zeroGrad();
    super.step();
  }
}

/** A factor of every learning rate: from 0 over the warm-up, then along a cosine, unless the recipe names another way. */
export function rateSchedule(
  { train, training }: Pick<LssRecipe, 'train' | 'training'>,
  { steps, perEpoch }: { steps: number; perEpoch: number },
): Schedule {
  const warmupSteps = Math.round(train.warmupEpochs * perEpoch);
  if (training.schedule.name !== 'cosine') return namedSchedule(training.schedule, { steps, warmupSteps });
  const to = train.finalLearningRate / scaledRate(train.learningRate, train.batch);
  return cosineSchedule({ from: 1, to, steps, warmupSteps });
}

/** Parameters whose learning rate and weight decay are the same. */
function parameterGroups(network: DistilledNetwork, { train, model }: LssRecipe) {
  freeze(network, train);
  const groups = new Map<string, { params: nn.Parameter[]; lr: number; weightDecay: number; decayed: boolean }>();
  for (const [name, parameter] of network.namedParameters()) {
    if (!parameter.requiresGrad) continue;
    const rule = ruleOf(name, parameter, { depth: model.depth, decayEmbeddings: train.decayEmbeddings });
    const base = rule.temporal ? train.temporalLearningRate : train.learningRate;
    const lr = scaledRate(base, train.batch) * train.layerDecay ** (model.depth + 1 - rule.layer);
    const key = `${rule.decayed} ${lr}`;
    const group = groups.get(key);
    if (group) group.params.push(parameter);
    else
      groups.set(key, {
        params: [parameter],
        lr,
        weightDecay: rule.decayed ? train.weightDecay : 0,
        decayed: rule.decayed,
      });
  }
  return [...groups.values()];
}

/** A learning rate of the recipe, which is for 256 videos in a step, for another number of them. */
export function scaledRate(rate: number, batch: number): number {
  return (rate * batch) / REFERENCE_BATCH;
}

function freeze(network: DistilledNetwork, { freezeSpace, freezeProjection }: TrainSettings): void {
  for (const [name, parameter] of network.backbone.namedParameters()) {
    const isProjection = name === 'visual.proj';
    const isSpatial = !isProjection && !ruleOf(name, parameter, { depth: 0, decayEmbeddings: true }).temporal;
    if ((freezeProjection && isProjection) || (freezeSpace && isSpatial)) parameter.requiresGrad_(false);
  }
}
