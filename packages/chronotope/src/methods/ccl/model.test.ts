import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nn, optim, scope, type Tensor, tensor, zeros } from '@chronotope/torch';
import {
  inputsOf,
  modelOf,
  ownKey,
  PooledFeatures,
  type State,
  type StepConfig,
  type StepInputs,
  settingsOf,
  tensors,
} from '../../testing/ccl-golden.js';
import { assertClose, type Nested, readGolden } from '../../testing/golden.js';
import { CclEncoder } from './encoder.js';
import { KeyQueue } from './key-queue.js';
import { CclModel } from './model.js';
import { loadOfficialState, officialState } from './official-state.js';
import { cclStep } from './step.js';

const VALUE = { relative: 1e-5, absolute: 1e-6 };
const GRADIENT = { relative: 1e-4, absolute: 1e-6 };
interface GoldenStep extends StepInputs {
  logits_intra: Nested;
  logits_cycle: Nested;
  loss_intra: number;
  loss_cycle: number;
  loss_total: number;
  grad_feat_query: Nested;
  grads: State;
  state_after: State;
}

for (const name of ['two_heads', 'shared_head']) {
  test(`two official optimisation steps, ${name}: losses, gradients, momentum encoder, queues`, () =>
    scope(() => {
      const golden = readGolden<{
        config: StepConfig & { lr: number };
        state_before: State;
        cases: GoldenStep[];
      }>(`ccl/combined_step_${name}.json`);
      const model = modelOf(golden.config, golden.state_before);
      const optimizer = new optim.SGD(model.query.parameters(), {
        lr: golden.config.lr,
        momentum: 0.9,
        weightDecay: 1e-4,
      });
      for (const c of golden.cases) {
        const { images, draws } = inputsOf(c);
        optimizer.zeroGrad();
        const { loss, intra, cycle } = cclStep(model, images, draws, settingsOf(golden.config));
        assertClose(intra!.logits, c.logits_intra, VALUE);
        assertClose(cycle!.logits, c.logits_cycle, VALUE);
        assertClose(intra!.loss, c.loss_intra, VALUE);
        assertClose(cycle!.loss, c.loss_cycle, VALUE);
        assertClose(loss, c.loss_total, VALUE);
        loss.backward();
        assertClose(images.query.grad!, c.grad_feat_query, GRADIENT);
        const named = new Map(
          [...model.namedParameters()].filter(([, { grad }]) => grad).map(([key, { grad }]) => [key, grad!]),
        );
        assert.equal(named.size, Object.keys(c.grads).length, 'only the query encoder is trained');
        for (const [key, gradient] of Object.entries(c.grads)) {
          assertClose(named.get(ownKey(key))!, gradient, { ...GRADIENT, what: key });
        }
        optimizer.step();
        const state = officialState(model);
        for (const [key, value] of Object.entries(c.state_after)) {
          if (key === 'queue_labels') continue;
          assertClose(state.get(key)!, value, { ...VALUE, relative: 1e-4, what: key });
        }
      }
    }));
}

test('a step in two parts has the loss, the gradients, the momentum encoder and the queue of the whole', () =>
  scope(() => {
    const golden = readGolden<{ config: StepConfig; state_before: State; cases: StepInputs[] }>(
      'ccl/combined_step_two_heads.json',
    );
    const { images, draws } = inputsOf(golden.cases[0]!);
    const settings = settingsOf(golden.config);
    const [whole, parted] = [0, 1].map(() => modelOf(golden.config, golden.state_before)) as [CclModel, CclModel];
    const { loss } = cclStep(whole, images, draws, settings);
    loss.backward();

    const half = images.videos.length / 2;
    let sum = 0;
    for (const start of [0, half]) {
      const rows = <T>(values: readonly T[]) => values.slice(start, start + half);
      const part = {
        query: images.query.detach().narrow(0, start, half),
        key: images.key.narrow(0, start, half),
        candidates: images.candidates.narrow(1, start, half),
        videos: rows(images.videos),
      };
      const own = { ...draws, intraPositive: rows(draws.intraPositive), cyclePositive: rows(draws.cyclePositive) };
      const place = { isFirst: start === 0, isLast: start === half };
      const result = cclStep(parted, part, own, settings, place);
      result.loss.div(2).backward();
      sum += result.loss.item() / 2;
    }
    assertClose(tensor(sum), loss.item(), VALUE);
    const gradients = parted.namedParameters();
    for (const [key, { grad }] of whole.namedParameters()) {
      if (grad) assertClose(gradients.get(key)!.grad!, grad.toArray() as Nested, { ...GRADIENT, what: key });
    }
    const state = officialState(parted);
    for (const [key, value] of officialState(whole)) {
      assertClose(state.get(key)!, value.toArray() as Nested, { ...VALUE, what: key });
    }
  }));

describe('queue', () => {
  interface QueueCase {
    case: string;
    dim: number;
    K: number;
    cycle_K: number;
    queue_before: Nested;
    queue_cycle_before: Nested | null;
    steps: {
      keys: Nested;
      keys_cycle: Nested | null;
      indices: number[];
      queue_ptr: number;
      queue_cycle_ptr: number;
      queue_indices: number[];
    }[];
    queue_after: Nested;
    queue_cycle_after: Nested | null;
  }
  const golden = readGolden<{ non_divisible: { K: number; batch: number }; cases: QueueCase[] }>(
    'ccl/queue_update.json',
  );

  for (const c of golden.cases) {
    test(`official order, wrap-around and video numbers: ${c.case}`, () =>
      scope(() => {
        const [queue, cycle] = [new KeyQueue(c.dim, c.K), new KeyQueue(c.dim, c.cycle_K)];
        queue.keys.copy_(tensor(c.queue_before));
        queue.videos.zero_();
        const separate = c.queue_cycle_before !== null;
        if (separate) cycle.keys.copy_(tensor(c.queue_cycle_before!));
        for (const step of c.steps) {
          const videos = tensor(step.indices, { dtype: 'int64' });
          queue.enqueue(tensor(step.keys), videos);
          if (separate) cycle.enqueue(tensor(step.keys_cycle!), videos);
          assertClose(queue.pointer, step.queue_ptr);
          assertClose(queue.videos, step.queue_indices);
          if (separate) assertClose(cycle.pointer, step.queue_cycle_ptr);
        }
        assertClose(queue.keys, c.queue_after);
        if (separate) assertClose(cycle.keys, c.queue_cycle_after!);
      }));
  }

  test('refuses a batch that does not divide its length, as the official code does, and says which length would do', () => {
    const { K, batch } = golden.non_divisible;
    assert.throws(
      () => scope(() => new KeyQueue(2, K).enqueue(zeros([batch, 2]), zeros([batch], { dtype: 'int64' }))),
      { code: 'queue-not-divisible', message: 'a queue of 10 keys cannot be filled by batches of 3' },
    );
  });

  test('marks the entries of a video wherever they are; the vectors of the start belong to none', () =>
    scope(() => {
      const queue = new KeyQueue(2, 4);
      queue.enqueue(zeros([2, 2]), tensor([7, 5], { dtype: 'int64' }));
      const marked = queue.ofSameVideo(tensor([5, 7, 1], { dtype: 'int64' })).to({ dtype: 'int64' });
      assertClose(marked, [
        [0, 1, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 0],
      ]);
    }));
});

test('the momentum update averages parameters and leaves batch statistics alone', () =>
  scope(() => {
    interface MomentumCase {
      momentum: number;
      state_before: Record<string, Nested>;
      steps: { query_params: Record<string, Nested>; key_params_after: Record<string, Nested> }[];
    }
    /** The golden file's encoder: a batch normalisation beside the head. */
    class Normalised extends nn.Module {
      readonly bn: nn.BatchNorm1d;
      constructor(readonly features: number) {
        super();
        this.bn = new nn.BatchNorm1d(features);
      }
      override forward(x: Tensor): Tensor {
        return this.bn.call(x);
      }
    }
    const { cases } = readGolden<{ cases: MomentumCase[] }>('ccl/momentum_update.json');
    for (const c of cases) {
      const separate = 'q_cycle_fc.0.weight' in c.state_before;
      const [features, dimensions] = [c.state_before['encoder_q.bn.weight'], c.state_before['encoder_q.fc.2.bias']].map(
        (vector) => (vector as number[]).length,
      ) as [number, number];
      const heads = separate ? 'separate' : 'shared';
      const encoder = () => new CclEncoder(new Normalised(features), { heads, dimensions });
      const model = new CclModel(encoder(), encoder(), dimensions, { intra: 2, cycle: null });
      loadOfficialState(model, tensors(c.state_before));
      for (const step of c.steps) {
        loadOfficialState(model, tensors(step.query_params));
        model.updateKeyEncoder(c.momentum);
        const state = officialState(model);
        for (const [key, value] of Object.entries(step.key_params_after)) {
          assertClose(state.get(key)!, value, { what: key });
        }
      }
    }
  }));

test('both projection heads give the official embeddings', () =>
  scope(() => {
    interface HeadCase {
      x: Nested;
      fc: Record<string, Nested>;
      q_cycle_fc: Record<string, Nested>;
      out: Nested;
      out_normalised: Nested;
      out_cycle_normalised: Nested;
    }
    const { cases } = readGolden<{ cases: HeadCase[] }>('ccl/mlp_head.json');
    for (const c of cases) {
      const x = tensor(c.x);
      const encoder = new CclEncoder(new PooledFeatures(x.shape[1]!), { dimensions: (c.out as Nested[][])[0]!.length });
      encoder.head.loadStateDict(tensors(c.fc));
      encoder.cycleHead!.loadStateDict(tensors(c.q_cycle_fc));
      assertClose(encoder.head.call(x), c.out, VALUE);
      assertClose(encoder.call(x).intra, c.out_normalised, VALUE);
      assertClose(encoder.call(x).cycle, c.out_cycle_normalised, VALUE);
    }
  }));
