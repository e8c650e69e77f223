import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tensor } from '@chronotope/torch';
import fc from 'fast-check';
import type { Box } from '../../data/manifest.js';
import { assertClose, readGolden } from '../../testing/golden.js';
import { centreError, clipBox, iou, normalisedCentreError } from './boxes.js';
import { got10kClassScores, got10kCurve, got10kOverlaps, got10kScores } from './got10k.js';
import { meanCurves, otbCurves, otbScores } from './otb.js';

interface Golden {
  primitives: {
    rects_a: Box[];
    rects_b: Box[];
    iou: number[];
    center_error: number[];
    normalized_center_error: number[];
    bound_wh: [number, number];
    iou_bounded: number[];
    rects_a_after_bounding: Box[];
    rects_b_after_bounding: Box[];
  };
  otb: { sequences: OtbSequence[]; overall: OtbResult };
  got10k: { sequences: Got10kSequence[]; overall: Got10kResult & { succ_curve: number[] } };
}
interface OtbResult {
  success_curve: number[];
  precision_curve: number[];
  success_score: number;
  precision_score: number;
  success_rate: number;
}
type OtbSequence = OtbResult & { anno: Box[]; pred: Box[]; iou: number[]; center_error: number[] };
interface Got10kResult {
  ao: number;
  sr050: number;
  sr075: number;
}
type Got10kSequence = Got10kResult & {
  anno: Box[];
  pred: Box[];
  cover: number[];
  resolution_wh: [number, number];
  iou_valid: number[];
};

const golden = readGolden<Golden>('ccl/tracking_metrics.json');
const exactly = { relative: 1e-12, absolute: 1e-12 };
const assertAll = (values: number[], expected: number[]) =>
  assertClose(tensor(values, { dtype: 'float64' }), expected, exactly);

describe('the GOT-10k toolkit', () => {
  const { primitives, otb, got10k } = golden;

  test('overlaps and centre errors of pairs of boxes', () => {
    const { rects_a: a, rects_b: b } = primitives;
    const pairs = a.map((box, k): [Box, Box] => [box, b[k]!]);
    assertAll(
      pairs.map(([p, t]) => iou(p, t)),
      primitives.iou,
    );
    assertAll(
      pairs.map(([p, t]) => centreError(p, t)),
      primitives.center_error,
    );
    assertAll(
      pairs.map(([p, t]) => normalisedCentreError(p, t)),
      primitives.normalized_center_error,
    );
  });

  test('boxes cut off at the border of an image', () => {
    const [width, height] = primitives.bound_wh;
    const cut = (boxes: Box[]) => boxes.map((box) => clipBox(box, { width, height }));
    const [a, b] = [cut(primitives.rects_a), cut(primitives.rects_b)];
    assert.deepEqual(a, primitives.rects_a_after_bounding);
    assert.deepEqual(b, primitives.rects_b_after_bounding);
    assertAll(
      a.map((box, k) => iou(box, b[k]!)),
      primitives.iou_bounded,
    );
  });

  test('OTB: curves and scores of every sequence and of all together', () => {
    const assertScores = (curves: ReturnType<typeof otbCurves>, expected: OtbResult) => {
      const scores = otbScores(curves);
      assertAll(curves.success, expected.success_curve);
      assertAll(curves.precision, expected.precision_curve);
      assertClose(scores.success, expected.success_score, exactly);
      assertClose(scores.precision, expected.precision_score, exactly);
      assertClose(scores.successRate, expected.success_rate, exactly);
    };
    const curves = otb.sequences.map(({ pred, anno }) => otbCurves(pred, anno));
    for (const [k, curve] of curves.entries()) assertScores(curve, otb.sequences[k]!);
    assertScores(meanCurves(curves), otb.overall);
  });

  test('GOT-10k: overlaps, AO and SR of every sequence and of all frames together', () => {
    const overlaps = got10k.sequences.map(({ pred, anno, cover, resolution_wh: [width, height] }) =>
      got10kOverlaps({ predicted: pred, truth: anno, cover, image: { width, height } }),
    );
    const assertScores = (frames: number[], expected: Got10kResult) => {
      const scores = got10kScores(frames);
      assertClose(scores.averageOverlap, expected.ao, exactly);
      assertClose(scores.successRate50, expected.sr050, exactly);
      assertClose(scores.successRate75, expected.sr075, exactly);
    };
    for (const [k, frames] of overlaps.entries()) {
      assertAll(frames, got10k.sequences[k]!.iou_valid);
      assertScores(frames, got10k.sequences[k]!);
    }
    assertScores(overlaps.flat(), got10k.overall);
    assertAll(got10kCurve(overlaps.flat()), got10k.overall.succ_curve);
  });
});

test('class scores weigh classes equally, whatever their number of frames', () => {
  const scores = got10kClassScores([
    { label: 'dog', overlaps: [1, 1, 1, 1] },
    { label: 'car', overlaps: [0, 0.6] },
    { label: 'car', overlaps: [0, 0] },
  ]);
  assertClose(scores.averageOverlap, (1 + 0.15) / 2);
  assertClose(scores.successRate50, (1 + 0.25) / 2);
  assertClose(scores.successRate75, 0.5);
});

const side = fc.double({ min: 0, max: 500, noNaN: true });
const anyBox = fc.tuple(side, side, side, side);

test('the overlap is symmetric, in [0, 1], and 1 of a box with itself; cutting off never enlarges a box', () => {
  fc.assert(
    fc.property(anyBox, anyBox, (a, b) => {
      const overlap = iou(a, b);
      assert.equal(overlap, iou(b, a));
      assert.ok(overlap >= 0 && overlap <= 1);
      if (a[2] > 1e-3 && a[3] > 1e-3) assertClose(iou(a, a), 1, { relative: 1e-6 });
      const cut = clipBox(a, { width: 320, height: 240 });
      assert.ok(cut[2] <= a[2] && cut[3] <= a[3] && cut[0] + cut[2] <= 320 + 1e-9 && cut[1] + cut[3] <= 240 + 1e-9);
    }),
  );
});

test('curves fall or rise with the threshold, and a perfect tracker misses only the threshold 1', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyBox, anyBox), { minLength: 1, maxLength: 12 }), (pairs) => {
      const curves = otbCurves(
        pairs.map(([box]) => box),
        pairs.map(([, box]) => box),
      );
      assert.ok(curves.success.every((value, k) => k === 0 || value <= curves.success[k - 1]!));
      assert.ok(curves.precision.every((value, k) => k === 0 || value >= curves.precision[k - 1]!));
    }),
  );
  const truth: Box[] = [
    [1, 1, 10, 10],
    [5, 6, 30, 20],
  ];
  const scores = otbScores(otbCurves(truth, truth));
  assertClose(scores.success, 20 / 21);
  assert.equal(scores.precision, 1);
  assert.throws(() => otbCurves(truth, truth.slice(1)), /2 predicted boxes for 1 frames/);
});
