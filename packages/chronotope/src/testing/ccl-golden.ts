import assert from 'node:assert/strict';
import { nn, type Tensor, tensor } from '@chronotope/torch';
import { CclEncoder } from '../methods/ccl/encoder.js';
import { CclModel } from '../methods/ccl/model.js';
import { loadOfficialState } from '../methods/ccl/official-state.js';
import type { StepSettings } from '../methods/ccl/step.js';
import type { Nested } from './golden.js';

/** Weights and queues under their official names. */
export type State = Record<string, Nested>;

/** Stands for the CNN: the "images" of the golden steps are the pooled features. */
export class PooledFeatures extends nn.Module {
  constructor(readonly features: number) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return x.clone();
  }
}

/** The tensors of a golden state. */
export function tensors(state: State): Map<string, Tensor> {
  return new Map(Object.entries(state).map(([key, value]) => [key, tensor(value)]));
}

/** Settings of the golden training steps. */
export interface StepConfig {
  dim: number;
  feature_dim: number;
  K: number;
  cycle_K: number;
  support_size: number;
  temperature: number;
  soft_nn_temperature?: number;
  lambda_cycle: number;
  momentum: number;
  sep_head: boolean;
}

/** One step's inputs and recorded draws. */
export interface StepInputs {
  feat_query: Nested;
  feat_key: Nested;
  feat_candidates: Nested;
  video_index: number[];
  support_permutation: number[];
  cycle_positive_index: number[];
  intra_positive_index: number[];
}

/** A model in the state that a golden file begins with. */
export function modelOf(config: StepConfig, state: State): CclModel {
  const { dim, feature_dim: features, K, cycle_K, sep_head: separate } = config;
  const encoder = () =>
    new CclEncoder(new PooledFeatures(features), { heads: separate ? 'separate' : 'shared', dimensions: dim });
  const model = new CclModel(encoder(), encoder(), dim, { intra: K, cycle: separate ? cycle_K : null });
  assert.deepEqual(loadOfficialState(model, tensors(state)).unexpected, []);
  return model;
}

/** The official objective with a golden file's numbers. */
export function settingsOf(config: StepConfig): StepSettings {
  return {
    intraWeight: 1,
    cycleWeight: config.lambda_cycle,
    intraPositive: 'frame',
    temperature: config.temperature,
    neighbourTemperature: config.soft_nn_temperature ?? config.temperature,
    neighbour: 'all',
    normaliseNeighbour: true,
    includeSelf: false,
    neighbourCandidates: config.support_size,
    cycleNegatives: 'complement',
    maskSameVideo: false,
    keyMomentum: config.momentum,
    shuffleBatchNorm: true,
  };
}

/** The images and draws of a golden step; `query` records gradients. */
export function inputsOf(step: StepInputs, imageOrder: readonly number[] = []) {
  return {
    images: {
      query: tensor(step.feat_query, { requiresGrad: true }),
      key: tensor(step.feat_key),
      candidates: tensor(step.feat_candidates).transpose(0, 1),
      videos: step.video_index,
    },
    draws: {
      intraPositive: step.intra_positive_index,
      cyclePositive: step.cycle_positive_index,
      queueOrder: step.support_permutation,
      imageOrder,
    },
  };
}

/** Our name of an official weight of the query encoder. */
export function ownKey(official: string): string {
  return official.replace('encoder_q.fc', 'query.head').replace('q_cycle_fc', 'query.cycle_head');
}

/** Images by the formula of the golden file of encoders. */
export function formulaImages(shape: [number, number, number, number], phase: number): Tensor {
  const [batch, channels, height, width] = shape;
  const values = new Float32Array(batch * channels * height * width);
  let place = 0;
  for (let b = 0; b < batch; b++) {
    for (let c = 0; c < channels; c++) {
      for (let h = 0; h < height; h++) {
        for (let w = 0; w < width; w++) {
          values[place++] =
            Math.sin(0.3 * h * (1 + 0.5 * b) + 0.2 * w * (c + 1) + phase) + 0.5 * Math.cos(0.05 * h * w * (b + 1) + c);
        }
      }
    }
  }
  return tensor(values, { shape });
}
