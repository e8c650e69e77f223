import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memory, scope, tensor } from '@chronotope/torch';
import { sequenceFrames } from '../../data/tracking-sequences.js';
import { randomStream } from '../../random.js';
import { loadRecipeOf } from '../../recipes/load.js';
import { demoSequences, readSequences } from '../../testing/demo-sequences.js';
import { trainingViewSettings } from './networks.js';
import { PairLoader } from './pair-loader.js';
import { trainingView } from './training-view.js';

const folder = await demoSequences({ train: 3, test: 1, frames: 4 });
const sequences = await readSequences(folder, 'train');
const views = trainingViewSettings(loadRecipeOf('tracker', 'tracker-small'));
const options = { views, batch: 2, perSequence: 3, seed: 5 };

test('batches depend on the step alone, also in another order, and no pixel is lost on the way', () => {
  scope(() => {
    const inOrder = new PairLoader(sequences, options);
    assert.equal(inOrder.stepsPerEpoch, 4, '9 pairs, of which one is left over');
    const batches = [0, 1, 2, 3, 4].map((step) => inOrder.stepBatch(step));
    const alone = new PairLoader(sequences, options).stepBatch(4);
    assert.deepEqual(alone.ids, batches[4]!.ids);
    for (const key of ['exemplars', 'searches'] as const) {
      assert.deepEqual(alone[key].data(), batches[4]![key].data());
      const side = key === 'exemplars' ? views.exemplarSize : views.trainingSearchSize;
      assert.deepEqual(alone[key].shape, [2, 3, side, side]);
      const values = alone[key].data() as Float32Array;
      assert.ok(values.every((value) => Number.isInteger(value) && value >= 0 && value <= 255));
    }
    assert.notDeepEqual(batches[0]!.exemplars.data(), batches[4]!.exemplars.data(), 'epochs differ');
  });
});

test('every sequence has as many pairs in an epoch as are asked for', () => {
  scope(() => {
    const loader = new PairLoader(sequences, { ...options, batch: 3 });
    const ids = [0, 1, 2].flatMap((step) => loader.stepBatch(step).ids);
    for (const { id } of sequences) assert.equal(ids.filter((one) => one === id).length, 3);
  });
});

test('tensors are freed with the step', () => {
  const loader = new PairLoader(sequences, options);
  const before = memory().liveTensors;
  scope(() => {
    loader.stepBatch(0);
    loader.stepBatch(1);
  });
  assert.equal(memory().liveTensors, before);
});

test('too few sequences for a batch are refused; so is an image that is none', () => {
  assert.throws(() => new PairLoader(sequences, { ...options, batch: 10 }), { code: 'too-few-pairs' });
  const broken = [{ ...sequences[0]!, frames: ['/no/such/image.jpg'] }];
  assert.throws(() => new PairLoader(broken, options), { code: 'undecodable', path: '/no/such/image.jpg' });
});

test('the object is in the middle of its view, or where the offset says, whatever is drawn', () => {
  scope(() => {
    // A white square on black: its centre of mass in the view must be near the place that is stated.
    const pixels = new Uint8Array(160 * 200 * 3);
    for (let y = 68; y < 92; y++) pixels.fill(255, (y * 200 + 88) * 3, (y * 200 + 112) * 3);
    const image = tensor(pixels, { shape: [160, 200, 3] });
    for (let draw = 0; draw < 24; draw++) {
      const kind = draw % 2 === 0 ? 'exemplar' : 'search';
      const settings = { ...views, shift: draw % 4 === 1 ? 0 : 0.25 };
      const view = trainingView(image, [89, 69, 24, 24], kind, settings, randomStream(draw, 'view'));
      if (draw % 4 !== 3) assert.deepEqual(view.offset.map(Math.abs), [0, 0]);
      const side = view.image.shape[1]!;
      const plane = view.image.select(0, 0);
      const mass = Number(plane.sum().item());
      const places = tensor(Float32Array.from({ length: side }, (_, k) => k - (side - 1) / 2));
      const found = [plane.mul(places), plane.mul(places.unsqueeze(1))].map((all) => Number(all.sum().item()) / mass);
      const errors = found.map((place, axis) => Math.abs(place - view.offset[axis]!));
      assert.ok(Math.max(...errors) < 7, `${kind} ${draw}: ${found} instead of ${view.offset}`);
    }
  });
});

test('images of a sequence come in order, decoded ahead', () => {
  const [sequence] = sequences;
  let frames = 0;
  for (const image of sequenceFrames(sequence!)) {
    assert.deepEqual(image.shape, [160, 240, 3]);
    image.dispose();
    frames++;
  }
  assert.equal(frames, sequence!.frames.length);
});
