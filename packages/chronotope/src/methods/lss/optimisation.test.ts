import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nn, ones, optim, scope } from '@chronotope/torch';
import { assertClose, readGolden } from '../../testing/golden.js';
import { type GoldenTensor, goldenTensor } from '../../testing/golden-tensors.js';
import { tinyLss, tinySvt } from '../../testing/tiny-lss.js';
import { newNetwork } from './networks.js';
import { rateSchedule, ruleOf, StudentOptimizer } from './optimisation.js';

interface Golden {
  clip_gradients: {
    clip: number;
    grads_before: Record<string, GoldenTensor>;
    param_order: string[];
    norms: number[];
    grads_after: Record<string, GoldenTensor>;
  };
  cancel_gradients_last_layer: { params_whose_grad_became_none: string[] };
  get_params_groups: { regularized: string[]; not_regularized: string[]; shapes: Record<string, number[]> };
}
const GOLDEN = readGolden<Golden>('lss/optim_ema.json');

test("weight decay is for the parameters that DINO's code gives it to", () => {
  const { regularized, not_regularized, shapes } = GOLDEN.get_params_groups;
  const isDecayed = (name: string) =>
    ruleOf(name, { ndim: shapes[name]!.length }, { depth: 2, decayEmbeddings: true }).decayed;
  assert.ok(regularized.every(isDecayed));
  assert.ok(!not_regularized.some(isDecayed));
});

test("gradients are clipped one by one as in DINO's code", () => {
  scope(() => {
    const { clip, grads_before, grads_after, param_order, norms } = GOLDEN.clip_gradients;
    const parameters = param_order.map((name) => {
      const parameter = new nn.Parameter(goldenTensor(grads_before[name]!));
      parameter.grad = goldenTensor(grads_before[name]!);
      return parameter;
    });
    assertClose(optim.clipGradNormPerTensor_(parameters, clip), norms);
    for (const [index, name] of param_order.entries()) {
      assertClose(parameters[index]!.grad!, grads_after[name]!.data, { what: name });
    }
  });
});

test('parts are told apart: what looks along time, embeddings, and the depth of blocks', () => {
  const rule = (name: string, ndim = 2) => ruleOf(name, { ndim }, { depth: 4, decayEmbeddings: false });
  for (const name of [
    'backbone.temporal.1.attn.in_proj_weight',
    'backbone.time_embed',
    'backbone.blocks.1.temporal_fc.weight',
    'backbone.blocks.1.timeattn.qkv.weight',
    'backbone.temporal_embed',
  ]) {
    assert.ok(rule(name).temporal, name);
  }
  assert.ok(!rule('backbone.visual.transformer.resblocks.1.attn.in_proj_weight').temporal);
  assert.equal(rule('backbone.visual.transformer.resblocks.3.mlp.c_fc.weight').layer, 4);
  assert.equal(rule('backbone.blocks.0.attn.qkv.weight').layer, 1);
  assert.equal(rule('backbone.visual.conv1.weight', 4).layer, 0);
  assert.equal(rule('backbone.visual.proj').layer, 5);
  assert.deepEqual([rule('backbone.pos_embed', 3).decayed, rule('backbone.visual.proj').decayed], [false, true]);
});

test('every parameter has its rate: new parts their own, earlier blocks less, in proportion to the batch', () => {
  scope(() => {
    const recipe = tinyLss(['train.layerDecay=0.5', 'train.batch=128', 'train.temporalLearningRate=0.1']);
    const network = newNetwork(recipe);
    const { paramGroups } = new StudentOptimizer(network, recipe, { steps: 4, perEpoch: 2 });
    const names = new Map([...network.namedParameters()].map(([name, parameter]) => [parameter, name]));
    const rates = new Map(paramGroups.flatMap(({ params, lr }) => params.map((p) => [names.get(p)!, lr] as const)));
    assert.equal(rates.size, names.size);
    const { learningRate } = recipe.train;
    const rate = (name: string) => rates.get(`backbone.${name}`)!;
    const near = (actual: number, expected: number) => assert.ok(Math.abs(actual / expected - 1) < 1e-12, `${actual}`);
    near(rate('visual.proj'), learningRate / 2);
    near(rate('visual.transformer.resblocks.1.mlp.c_fc.weight'), learningRate / 4);
    near(rate('visual.conv1.weight'), learningRate / 16);
    near(rate('temporal.1.fc.weight'), 0.1 / 4);
    network.dispose();
  });
});

test('frozen parts are not trained', () => {
  scope(() => {
    const recipe = tinyLss(['train.freezeSpace=true', 'train.freezeProjection=true']);
    const network = newNetwork(recipe);
    new StudentOptimizer(network, recipe, { steps: 1, perEpoch: 1 });
    const trained = [...network.namedParameters()].filter(([, { requiresGrad }]) => requiresGrad);
    assert.ok(trained.length > 0 && trained.every(([name]) => /temporal|time_embed/.test(name)));
    network.dispose();
  });
});

test('a step clips, lets the last layer rest in the first epochs, and decays weights by the schedule', () => {
  scope(() => {
    const recipe = tinySvt(['train.weightDecay=0.2', 'train.weightDecayEnd=0.4']);
    const network = newNetwork(recipe);
    const optimizer = new StudentOptimizer(network, recipe, { steps: 4, perEpoch: 2 });
    const last = network.head!.lastLayer.weightV;
    const stepMoves = (step: number): boolean => {
      optimizer.prepare(step);
      for (const parameter of network.parameters()) {
        if (parameter.requiresGrad) parameter.grad = ones(parameter.shape).mul(100);
      }
      const before = last.detach().clone();
      optimizer.step();
      const norm = network.namedParameters().get('backbone.norm.weight')!.grad!.norm(2).item();
      assert.ok(Math.abs(norm - recipe.train.maxNorm) < 1e-3, `${norm}`);
      return !last.detach().equal(before);
    };
    assert.deepEqual([0, 1, 2, 3].map(stepMoves), [false, false, true, true]);
    assert.deepEqual([...GOLDEN.cancel_gradients_last_layer.params_whose_grad_became_none], ['head.last_layer.weight']);
    const decays = new Set(optimizer.paramGroups.map(({ weightDecay }) => weightDecay.toFixed(3)));
    assert.deepEqual([...decays].sort(), ['0.000', '0.371']);
    network.dispose();
  });
});

test('the learning rate rises from 0 and ends at the rate that the recipe says', () => {
  const { train } = tinyLss(['train.warmupEpochs=1', 'train.finalLearningRate=1e-5']);
  const factor = rateSchedule(train, { steps: 1000, perEpoch: 10 });
  assert.deepEqual([factor(0), factor(9), factor(10)], [0, 1, 1]);
  const last = factor(1000) * ((train.learningRate * train.batch) / 256);
  assert.ok(Math.abs(last / 1e-5 - 1) < 1e-9);
});
