import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crossEntropyLoss, manualSeed, noGrad, optim, randn, scope, type Tensor, tensor } from '@chronotope/torch';
import { rightAt, videoProbabilities } from '../../evaluation/video-level.js';
import { createImageBackbone, FrameResNet } from '../../models/frame-resnet.js';
import { assertClose, type Nested, readGolden } from '../../testing/golden.js';
import { FrameClassifier } from './frame-classifier.js';

const golden = readGolden<{
  dense_eval: {
    videos: number;
    logits: Nested;
    target: number[];
    confidence: Nested;
    acc1_percent: number;
    acc5_percent: number;
  }[];
  clip_feature: {
    batch: number;
    frames: number;
    frame_feature_maps: Nested;
    pooled: Nested;
    classifier_weight: Nested;
    classifier_bias: Nested;
    logits: Nested;
  }[];
}>('ccl/ucf_protocol.json');

/** A trunk whose feature maps are given. */
class GivenMaps extends FrameResNet {
  override readonly features: number;
  constructor(private readonly maps: Tensor) {
    super(createImageBackbone('resnet18', { width: 1 }));
    this.features = maps.shape[1]!;
  }
  override featureMap(): Tensor {
    return this.maps.clone();
  }
}

test('the official protocol of frames: maps averaged over time and space, then one layer', () =>
  scope(() => {
    for (const c of golden.clip_feature) {
      const maps = tensor(c.frame_feature_maps);
      const [, channels, height, width] = maps.shape as [number, number, number, number];
      const byClip = maps.reshape([c.batch, c.frames, channels, height, width]).transpose(1, 2);
      const weight = tensor(c.classifier_weight);
      const model = new FrameClassifier(new GivenMaps(byClip), weight.shape[0]!, { dropout: 0.9, trunk: 'fine-tuned' });
      model.eval();
      assertClose(model.features(maps), c.pooled);
      const given = new Map([
        ['weight', weight],
        ['bias', tensor(c.classifier_bias)],
      ]);
      model.fc.loadStateDict(given);
      assertClose(
        noGrad(() => model.call(maps)),
        c.logits,
      );
    }
  }));

test('the official dense test: softmax averaged over the clips of a video, then accuracy', () =>
  scope(() => {
    for (const c of golden.dense_eval) {
      const confidence = videoProbabilities(tensor(c.logits), c.videos, 'probabilities');
      assertClose(confidence, c.confidence);
      const predictions = confidence.unbind().map((row) => ({ probabilities: row.data() as Float32Array }));
      const share = (k: number) => {
        const right = rightAt(predictions, c.target, k);
        return (100 * right.reduce((sum, one) => sum + one, 0)) / c.videos;
      };
      assertClose(share(1), c.acc1_percent);
      assertClose(share(5), c.acc5_percent);
    }
  }));

for (const { trunk, weights, statistics } of [
  { trunk: 'frozen', weights: false, statistics: false },
  { trunk: 'frozen-official-bn', weights: false, statistics: true },
  { trunk: 'fine-tuned', weights: true, statistics: true },
] as const) {
  test(`${trunk}: ${weights ? 'weights' : 'no weights'} and ${statistics ? '' : 'no '}statistics of the trunk change`, () =>
    scope(() => {
      manualSeed(4);
      const backbone = new FrameResNet(createImageBackbone('resnet18', { width: 2, depths: [1, 1, 1, 1] }));
      const model = new FrameClassifier(backbone, 3, { dropout: 0, trunk }).train();
      const before = new Map([...model.stateDict()].map(([key, value]) => [key, [...value.data()]]));
      const trained = model.parameters().filter(({ requiresGrad }) => requiresGrad);
      const optimizer = new optim.SGD(trained, { lr: 0.1 });
      crossEntropyLoss(model.call(randn([4, 3, 2, 32, 32])), tensor([0, 1, 2, 0], { dtype: 'int64' })).backward();
      optimizer.step();
      const changed = [...model.stateDict()]
        .filter(([key, value]) => value.data().some((one, k) => one !== before.get(key)![k]))
        .map(([key]) => key);
      assert.ok(changed.includes('fc.weight'));
      assert.equal(changed.includes('backbone.layer1.0.conv1.weight'), weights);
      assert.equal(changed.includes('backbone.bn1.running_mean'), statistics);
    }));
}
