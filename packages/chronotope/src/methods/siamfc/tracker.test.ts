import assert from 'node:assert/strict';
import { test } from 'node:test';
import { avgPool2d, memory, scope, type Tensor, tensor, upsampleBicubic2d } from '@chronotope/torch';
import type { Box } from '../../data/manifest.js';
import { crossCorrelation } from '../../models/siamfc.js';
import { assertClose, type Nested, readGolden } from '../../testing/golden.js';
import { goldenImage, imageTensor, type Rectangle, sha256 } from '../../testing/siamfc-golden.js';
import type { CropRule } from './crop.js';
import type { TrackerSettings } from './settings.js';
import { hannWindow, SiamFCTracker, type TrackingNetwork } from './tracker.js';

interface Case {
  case: string;
  kind: 'original' | 'ccl';
  config: Record<string, number>;
  image_shape: [number, number, number];
  first_target_rect: Rectangle;
  first_image_sha256: string;
  init_box_ltwh_1based: Box;
  after_init: { hann_sum: number; hann_mid_row_first8: number[]; kernel_shape: number[] };
  frames: {
    scale_id: number;
    scale_peak_after_penalty: number[];
    peak_row_col_upsampled: [number, number];
    raw_response?: Nested;
    image_target_rect: Rectangle;
    image_sha256: string;
    pred_box_ltwh_1based: Box;
  }[];
}

/** The stand-in for a network of the golden files: mean colours of 8 x 8 pixels. Keeps the responses of its last call. */
class StandIn implements TrackingNetwork {
  kernelShape: readonly number[] = [];
  responses: Nested = [];

  constructor(
    private readonly kind: Case['kind'],
    private readonly outScale: number,
  ) {}

  exemplar(images: Tensor): Tensor {
    const features = this.features(images);
    this.kernelShape = features.shape;
    return features;
  }

  search(images: Tensor): Tensor {
    return this.features(images);
  }

  response(exemplar: Tensor, search: Tensor): Tensor {
    const response = crossCorrelation(exemplar, search).mul(this.outScale);
    this.responses = response.squeeze(1).toArray() as Nested;
    return response;
  }

  private features(images: Tensor): Tensor {
    if (this.kind === 'original') return avgPool2d(images, 8, { stride: 8 }).sub(128);
    const channels = (values: number[]) => tensor(values).reshape([1, 3, 1, 1]);
    const normalised = images.sub(channels([123.675, 116.28, 103.53])).div(channels([58.395, 57.12, 57.375]));
    return avgPool2d(normalised, 8, { stride: 8 });
  }
}

function settingsOf({ config, kind }: Case): TrackerSettings {
  const crop: CropRule = kind === 'original' ? 'original' : 'fast';
  return {
    crop,
    exemplarSize: config.exemplar_sz!,
    searchSize: config.instance_sz!,
    context: config.context!,
    stride: config.total_stride!,
    scales: config.scale_num!,
    scaleStep: config.scale_step!,
    scaleRate: config.scale_lr!,
    scalePenalty: config.scale_penalty!,
    windowInfluence: config.window_influence!,
    responseSize: config.response_sz!,
    responseUp: config.response_up!,
    exactGeometry: false,
  };
}

for (const golden of readGolden<{ cases: Case[] }>('ccl/siamfc_tracking.json').cases) {
  test(`${golden.case} from ${golden.init_box_ltwh_1based}: scales, peaks and boxes of the official tracker`, () => {
    scope(() => {
      const [height, width] = golden.image_shape;
      const image = (target: Rectangle, hash: string): Tensor => {
        const pixels = goldenImage(height, width, target);
        assert.equal(sha256(pixels), hash);
        return imageTensor(pixels, height, width);
      };
      const network = new StandIn(golden.kind, golden.config.out_scale!);
      const first = image(golden.first_target_rect, golden.first_image_sha256);
      const tracker = new SiamFCTracker(network, settingsOf(golden), first, golden.init_box_ltwh_1based);
      assert.deepEqual(network.kernelShape, golden.after_init.kernel_shape);
      for (const frame of golden.frames) {
        const found = tracker.update(image(frame.image_target_rect, frame.image_sha256));
        // OpenCV resizes in fixed point, so grey levels may differ by one.
        if (frame.raw_response) assertClose(tensor(network.responses), frame.raw_response, { relative: 4e-3 });
        assert.equal(found.scale, frame.scale_id);
        assert.deepEqual(found.place, frame.peak_row_col_upsampled);
        assertClose(tensor(found.peaks), frame.scale_peak_after_penalty, { relative: 4e-3 });
        assertClose(tensor(found.box), frame.pred_box_ltwh_1based, { absolute: 1e-3, relative: 0 });
      }
      tracker.dispose();
    });
  });

  test(`${golden.case}: the window`, () => {
    scope(() => {
      const window = hannWindow(golden.config.response_sz! * golden.config.response_up!);
      assertClose(window.sum().item(), golden.after_init.hann_sum);
      const middle = window.select(0, window.shape[0]! / 2).narrow(0, 0, 8);
      assertClose(middle, golden.after_init.hann_mid_row_first8, { relative: 1e-6, absolute: 1e-15 });
    });
  });
}

test('a response is enlarged as OpenCV does', () => {
  for (const { input, output } of readGolden<{ cases: { input: Nested; output: Nested[] }[] }>(
    'ccl/siamfc_upsample.json',
  ).cases) {
    scope(() => {
      const map = tensor(input).unsqueeze(0).unsqueeze(0);
      const enlarged = upsampleBicubic2d(map, [output.length, output.length], false);
      assertClose(enlarged.squeeze(0).squeeze(0), output, { relative: 2e-6 });
    });
  }
});

test('a tracker frees what it made, and refuses boxes that show nothing', () => {
  const [golden] = readGolden<{ cases: Case[] }>('ccl/siamfc_tracking.json').cases;
  const settings = settingsOf(golden!);
  const network = new StandIn('original', 1e-3);
  const image = imageTensor(goldenImage(160, 200, [80, 60, 24, 32]), 160, 200);
  const before = memory().liveTensors;
  const tracker = new SiamFCTracker(network, settings, image, [81, 61, 24, 32]);
  for (let frame = 0; frame < 3; frame++) tracker.update(image);
  tracker.dispose();
  assert.equal(memory().liveTensors, before);
  assert.throws(() => new SiamFCTracker(network, settings, image, [10, 10, 0, 5]), { code: 'box-empty' });
  assert.throws(() => new SiamFCTracker(network, settings, image, [300, 10, 20, 5]), { code: 'box-outside' });
  image.dispose();
});
