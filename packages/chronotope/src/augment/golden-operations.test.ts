import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  constantPadNd,
  op,
  rand,
  type Tensor,
  tensor,
  upsampleBicubic2d,
  upsampleBilinear2d,
  zeros,
} from '@chronotope/torch';
import { randomStream } from '../random.js';
import { assertClose, readGolden } from '../testing/golden.js';
import { augmentClips } from './apply.js';
import type { Box, ClipAugmentation, Step } from './clip-augmentation.js';
import { adjustHue, adjustHueByOperators } from './colour.js';
import { drawTransform, scaledCropOf, untouched } from './draw.js';
import { clipNormalisation, clipPreprocess, imagenetNormalisation, svtTest } from './presets.js';
import { type CropAndFlip, matricesOf, multiplyMatrices, resizeCrops } from './resize.js';
import { scaledSize } from './rounding.js';
import type { Interpolation } from './settings.js';
import { applySteps } from './steps.js';

type Image = number[][][];

/** One image [H, W, 3] of 0..255 as a clip of one frame. */
function clipOf(image: Image): Tensor {
  return tensor(Uint8Array.from(image.flat(2)), { shape: [1, 1, image.length, image[0]!.length, 3] });
}

/** Largest and mean distance of a clip of one frame [1, 3, 1, H, W] from an image, in levels of 255. */
function distance(clip: Tensor, image: Image): { largest: number; mean: number } {
  const pixels = clip.select(0, 0).select(1, 0).permute([1, 2, 0]).contiguous().mul(255).data() as Float32Array;
  const expected = image.flat(2);
  assert.equal(pixels.length, expected.length);
  const levels = expected.map((level, k) => Math.abs(pixels[k]! - level));
  return { largest: Math.max(...levels), mean: levels.reduce((sum, level) => sum + level, 0) / levels.length };
}

function assertNear(clip: Tensor, image: Image, limits: { largest: number; mean: number }, what: string): void {
  const { largest, mean } = distance(clip, image);
  const text = `${what}: largest ${largest.toFixed(2)}, mean ${mean.toFixed(2)} levels of 255`;
  assert.ok(largest <= limits.largest && mean <= limits.mean, text);
}

const WHOLE = { luma: 'rec601', clamp: true } as const;

interface ImageCase {
  case: string;
  op: string;
  top: number;
  left: number;
  height: number;
  width: number;
  out: [number, number];
  factor: number;
  steps: [kind: 'b' | 'c' | 's' | 'h', value: number][];
  resize: number;
  crop: number;
  result: Image;
  mean: [number, number, number];
  std: [number, number, number];
  result_rows_0_1: number[][][];
}

const STEP = { b: 'brightness', c: 'contrast', s: 'saturation', h: 'hue' } as const;

/** Pillow truncates to whole levels and rounds the mean gray behind its contrast; its hue has 8 bits as well. */
const STEP_LIMITS: Record<string, { largest: number; mean: number }> = {
  adjust_hue: { largest: 6, mean: 1 },
  chain: { largest: 8, mean: 1.5 },
};

test("torchvision's operations on Pillow images (MoCo, CCL): crops, colours, gray, flip, test crop, normalisation", () => {
  const golden = readGolden<{ image: Image; small_image: Image; cases: ImageCase[] }>('augment/image_operations.json');
  assert.equal(golden.cases.length, 17);
  const small = clipOf(golden.small_image);
  const size = golden.small_image.length;
  const whole = untouched({ height: size, width: size }, size);
  for (const one of golden.cases) {
    const limits = STEP_LIMITS[one.op] ?? { largest: 1.4, mean: 0.75 };
    const apply = (changes: Partial<ClipAugmentation>): Tensor => augmentClips(small, [{ ...whole, ...changes }], size);
    const step = (kind: 'brightness' | 'contrast' | 'saturation' | 'hue', value: number): Step => ({ kind, value });
    if (one.op === 'resized_crop') {
      const { top, left, height, width } = one;
      const clip = augmentClips(clipOf(golden.image), [{ ...whole, crop: { top, left, height, width } }], one.out[0]);
      assertNear(clip, one.result, { largest: 1, mean: 0.4 }, one.case);
    } else if (one.op.startsWith('adjust_')) {
      const kind = one.op.slice('adjust_'.length) as (typeof STEP)[keyof typeof STEP];
      assertNear(apply({ steps: [step(kind, one.factor)] }), one.result, limits, one.case);
    } else if (one.op === 'chain') {
      const steps = one.steps.map(([kind, value]) => step(STEP[kind], value));
      assertNear(apply({ steps }), one.result, limits, one.case);
    } else if (one.op === 'rgb_to_grayscale') {
      assertNear(apply({ steps: [{ kind: 'gray' }] }), one.result, limits, one.case);
    } else if (one.op === 'hflip') {
      assertNear(apply({ flip: true }), one.result, { largest: 0.001, mean: 0.001 }, one.case);
    } else if (one.op === 'to_tensor_normalize') {
      assert.deepEqual(imagenetNormalisation, { mean: one.mean, std: one.std });
      const clip = apply({ normalise: imagenetNormalisation }).select(0, 0).select(1, 0);
      assertClose(clip.narrow(1, 0, 2).contiguous(), one.result_rows_0_1, { what: one.case });
    } else {
      assert.equal(one.op, 'resize_shorter_then_center_crop');
      const frame = { height: golden.image.length, width: golden.image[0]!.length };
      const transform = { ...svtTest('middle'), shortSide: one.resize / one.crop, position: 'centre' as const };
      const augmentation = scaledCropOf({ ...transform, interpolation: 'bilinear', normalise: null }, frame, one.crop);
      assertNear(augmentClips(clipOf(golden.image), [augmentation], one.crop), one.result, limits, one.case);
    }
  }
});

test("Gaussian blur is Pillow's, but for its rounding after each of six passes", () => {
  const { cases } = readGolden<{ cases: { sigma: number; image: Image; blurred: Image }[] }>(
    'augment/gaussian_blur.json',
  );
  assert.equal(cases.length, 4);
  for (const { sigma, image, blurred } of cases) {
    const clip = clipOf(image).permute([0, 4, 1, 2, 3]).div(255).contiguous();
    applySteps(clip, [[{ kind: 'blur', value: sigma }]], WHOLE);
    // A sigma of 0.1 changes most pixels by less than half a level in each pass, and Pillow rounds that away.
    const limits = sigma < 0.5 ? { largest: 2.7, mean: 1.1 } : { largest: 1.6, mean: 0.5 };
    assertNear(clip, blurred, limits, `sigma ${sigma}`);
  }
});

interface GoldenTensor {
  shape: number[];
  data: number[];
}

test("CLIP's preprocessing: bicubic resize of the short side, centre crop, normalisation", () => {
  const golden = readGolden<{
    mean: number[];
    std: number[];
    cases: { n_px: number; image_HWC: GoldenTensor; resized_size_WH: [number, number]; output_CHW: GoldenTensor }[];
  }>('augment/clip_preprocess.json');
  assert.deepEqual([golden.mean, golden.std], [clipNormalisation.mean, clipNormalisation.std]);
  assert.equal(golden.cases.length, 4);
  for (const { n_px: size, image_HWC: image, resized_size_WH: resized, output_CHW: output } of golden.cases) {
    const [height, width] = image.shape as [number, number];
    const clip = tensor(Uint8Array.from(image.data), { shape: [1, 1, height, width, 3] });
    const augmentation = drawTransform(clipPreprocess, { height, width }, size, randomStream(0, 'augment'));
    assert.deepEqual([augmentation.canvas.width, augmentation.canvas.height], resized);
    const actual = augmentClips(clip, [augmentation], size).contiguous().data() as Float32Array;
    // Pillow rounds and cuts to 8 bits after each axis, which tells where bicubic overshoots: 1 level of 255 is at most
    // 0.0152 after division by the standard deviations.
    const errors = output.data.map((value, k) => Math.abs(actual[k]! - value));
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    const what = `${width} x ${height} to ${size}: largest ${Math.max(...errors)}, mean ${mean}`;
    assert.ok(Math.max(...errors) <= 3 * 0.0152 && mean <= 0.0076, what);
  }
});

interface VideoOperation {
  op: string;
  args: { size?: number; spatial_idx?: 0 | 1 | 2; min_size?: number };
  uniform_draw: number | null;
  box_used?: { top: number; left: number; h: number; w: number };
  output: GoldenTensor;
}

test("SVT's operations on float clips: unclamped jitter, exchanged luma, plain bicubic crops, three test crops", () => {
  const golden = readGolden<{ input_TCHW: GoldenTensor; ops: VideoOperation[] }>('augment/video_transforms.json');
  const [length, , height, width] = golden.input_TCHW.shape as [number, number, number, number];
  // [N, 3, T, H, W]: the published code has [T, C, H, W].
  const input = tensor(Float32Array.from(golden.input_TCHW.data), { shape: [1, length, 3, height, width] })
    .transpose(1, 2)
    .contiguous();
  // The values are hundredths, so this integer clip scaled back is the same to rounding; /255 is undone in `planes`.
  const hundredths = input.mul(100).round().permute([0, 2, 3, 4, 1]).contiguous().to({ dtype: 'uint8' });

  const check = (actual: Tensor, { op, output }: VideoOperation): void => {
    const frames = actual.transpose(1, 2).contiguous();
    assert.deepEqual(frames.shape.slice(1), output.shape, op);
    assertClose(frames, output.data, { relative: 2e-6, what: op });
  };
  const stepped = (...steps: Step[]): Tensor => {
    const clip = input.clone();
    applySteps(clip, [steps], { clamp: false, luma: 'rec601-swapped' });
    return clip;
  };
  const resized = (crop: Box, canvas: Box, size: [number, number], interpolation: Interpolation): Tensor => {
    const output = zeros([1, 3, length, ...size]);
    resizeCrops(hundredths, [{ crop, canvas, flip: false, interpolation }], output);
    return output.mul(255 / 100);
  };
  const whole = { top: 0, left: 0, height, width };
  let checked = 0;
  for (const one of golden.ops) {
    const { op, args, uniform_draw: draw, output } = one;
    const [outHeight, outWidth] = output.shape.slice(2) as [number, number];
    const canvas = { top: 0, left: 0, height: outHeight, width: outWidth };
    checked++;
    if (op === 'grayscale') check(stepped({ kind: 'gray' }), one);
    else if (op.endsWith('_jitter') && draw !== null && !op.startsWith('random')) {
      const kind = op.slice(0, -'_jitter'.length) as 'brightness' | 'contrast' | 'saturation';
      check(stepped({ kind, value: 1 + draw }), one);
    } else if (op === 'horizontal_flip') {
      check(draw! < 0.5 ? input.flip([4]) : input, one);
    } else if (op === 'color_normalization_imagenet') {
      const clip = { ...untouched({ height, width }, 0), crop: whole, normalise: imagenetNormalisation };
      const { mean, std } = clip.normalise;
      const channel = (values: readonly number[]) => tensor(Float32Array.from(values), { shape: [1, 3, 1, 1, 1] });
      check(input.sub(channel(mean)).div(channel(std)), one);
    } else if (op === 'uniform_crop' || op.startsWith('uniform_crop_tall')) {
      const tall = op !== 'uniform_crop';
      const frame = tall ? { height: width, width: height } : { height, width };
      const position = (['first', 'middle', 'last'] as const)[args.spatial_idx!];
      // The crop alone, on a frame that keeps its size: the short side is 6 for an output of 5.
      const { canvas: place } = scaledCropOf({ ...svtTest(position), shortSide: 6 / 5 }, frame, args.size!);
      assert.deepEqual([place.height, place.width], [frame.height, frame.width]);
      const clip = tall ? input.transpose(3, 4) : input;
      check(clip.narrow(3, place.top, 5).narrow(4, place.left, 5), one);
    } else if (op === 'random_short_side_scale_jitter') {
      assert.deepEqual(scaledSize({ height, width }, args.min_size!), { height: outHeight, width: outWidth });
      check(resized(whole, canvas, [outHeight, outWidth], 'bilinear-aliased'), one);
    } else if (op.startsWith('resize_bicubic')) {
      check(resized(whole, canvas, [outHeight, outWidth], 'bicubic-aliased'), one);
    } else if (op === 'random_resized_crop') {
      const { top, left, h, w } = one.box_used!;
      check(resized({ top, left, height: h, width: w }, canvas, [outHeight, outWidth], 'bicubic-aliased'), one);
    } else {
      // uint8 frames to normalised floats with constants of 0.45 and 0.225, which no preset uses.
      assert.equal(op, 'tensor_normalize_uint8_THWC');
      checked--;
    }
  }
  assert.equal(checked, 21);
});

const antiAliased = {
  bilinear: op('aten::_upsample_bilinear2d_aa'),
  bicubic: op('aten::_upsample_bicubic2d_aa'),
};

const INTERPOLATE: Record<Interpolation, (planes: Tensor, size: [number, number]) => Tensor> = {
  bilinear: (planes, size) => antiAliased.bilinear(planes, size, false, null, null) as Tensor,
  bicubic: (planes, size) => antiAliased.bicubic(planes, size, false, null, null) as Tensor,
  'bilinear-aliased': (planes, size) => upsampleBilinear2d(planes, size, false),
  'bicubic-aliased': (planes, size) => upsampleBicubic2d(planes, size, false),
};

/** One clip uint8 [T, H, W, 3] by libtorch's own interpolation: float32 [3, T, size, size]. */
function interpolated(frames: Tensor, { crop, canvas, flip, interpolation }: CropAndFlip, size: number): Tensor {
  const height = Math.min(crop.height, frames.shape[1]! - crop.top);
  const width = Math.min(crop.width, frames.shape[2]! - crop.left);
  const inside = frames.narrow(1, crop.top, height).narrow(2, crop.left, width).permute([3, 0, 1, 2]);
  const whole = constantPadNd(inside, [0, crop.width - width, 0, crop.height - height]).div(255);
  const scaled = INTERPOLATE[interpolation](whole, [canvas.height, canvas.width]);
  const shown = scaled.narrow(2, canvas.top, size).narrow(3, canvas.left, size);
  return flip ? shown.flip([3]) : shown;
}

test('resizing agrees with libtorch on every device, for every interpolation, flip, crop over the border and canvas', () => {
  const random = randomStream(3, 'test-resize');
  const frames = tensor(
    Uint8Array.from({ length: 4 * 2 * 23 * 31 * 3 }, () => random.int(256)),
    { shape: [4, 2, 23, 31, 3] },
  );
  for (const interpolation of ['bilinear', 'bilinear-aliased', 'bicubic', 'bicubic-aliased'] as const) {
    for (const size of [9, 40]) {
      const square = { top: 0, left: 0, height: size, width: size };
      const crops = [
        { crop: { top: 0, left: 0, height: 23, width: 31 }, canvas: square, flip: false, interpolation },
        { crop: { top: 3, left: 2, height: 11, width: 17 }, canvas: square, flip: true, interpolation },
        { crop: { top: 10, left: 20, height: 20, width: 20 }, canvas: square, flip: false, interpolation },
        {
          crop: { top: 1, left: 4, height: 20, width: 25 },
          canvas: { top: 2, left: 5, height: size + 3, width: size + 9 },
          flip: true,
          interpolation,
        },
      ];
      const [onProcessor, elsewhere] = [zeros([4, 3, 2, size, size]), zeros([4, 3, 2, size, size])];
      resizeCrops(frames, crops, onProcessor);
      const { rows, columns } = matricesOf(frames, crops, elsewhere);
      multiplyMatrices(frames, rows, columns, elsewhere);
      for (const [clip, crop] of crops.entries()) {
        const expected = Array.from(
          interpolated(frames.select(0, clip), crop, size).contiguous().data() as Float32Array,
        );
        const limits = { absolute: 2e-6, relative: 0, what: `${interpolation} to ${size}, clip ${clip}` };
        assertClose(onProcessor.select(0, clip), expected, limits);
        assertClose(elsewhere.select(0, clip), expected, limits);
      }
    }
  }
});

test('gray with a gamma is what the two are one after the other', () => {
  const clips = rand([3, 3, 2, 4, 5]);
  const alone = clips.clone();
  const [gray, gamma]: Step[] = [{ kind: 'gray' }, { kind: 'gamma', value: 0.8 }];
  applySteps(clips, [[gray!, gamma!], [gray!], [gamma!]], WHOLE);
  for (const [clip, steps] of [
    [0, [gray!]],
    [0, [gamma!]],
    [1, [gray!]],
    [2, [gamma!]],
  ] as const) {
    applySteps(alone.narrow(0, clip, 1), [steps], WHOLE);
  }
  assertClose(clips, Array.from(alone.data() as Float32Array), { absolute: 1e-6, relative: 0 });
});

test('the hue turns on a processor as it does elsewhere', () => {
  const clips = rand([3, 3, 2, 7, 5]);
  // Grays, and colours of which two channels are equal.
  clips
    .select(1, 0)
    .narrow(1, 0, 1)
    .copy_(clips.select(1, 1).narrow(1, 0, 1));
  clips.narrow(3, 0, 1).fill_(0.25);
  const shift = tensor([0.1, -0.4, 0.5], { shape: [3, 1, 1, 1, 1] });
  const [onProcessor, elsewhere] = [clips.clone(), clips.clone()];
  adjustHue(onProcessor, shift);
  adjustHueByOperators(elsewhere, shift);
  assertClose(onProcessor, Array.from(elsewhere.data() as Float32Array), { absolute: 1e-6, relative: 0 });
});

test('solarise inverts what is not below the threshold; gamma raises to a power', () => {
  const clip = tensor([0, 0.25, 0.5, 1], { shape: [1, 1, 1, 1, 4] })
    .expand([1, 3, 1, 1, 4])
    .contiguous();
  applySteps(clip, [[{ kind: 'solarise', value: 0.5 }]], WHOLE);
  assertClose(clip.select(1, 0).contiguous(), [0, 0.25, 0.5, 0]);
  applySteps(clip, [[{ kind: 'gamma', value: 2 }]], WHOLE);
  assertClose(clip.select(1, 2).contiguous(), [0, 0.0625, 0.25, 0]);
});
