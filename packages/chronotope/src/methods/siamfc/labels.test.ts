import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope } from '@chronotope/torch';
import { assertClose, type Nested, readGolden } from '../../testing/golden.js';
import { labelMap } from './labels.js';

interface Case {
  case: string;
  size: [number, number, number, number];
  r_pos: number;
  r_neg: number;
  total_stride: number;
  n_positive: number;
  label: Nested;
}

interface ShiftedCase {
  case: string;
  label_size: number;
  positive_label_width: number;
  crop_box_before: number[];
  crop_box_after: number[];
  n_positive: number;
  label: Nested;
}

const golden = readGolden<{ cases: Case[]; shifted: { cases: ShiftedCase[] } }>('ccl/siamfc_labels.json');

for (const { case: name, size, r_pos, r_neg, total_stride, n_positive, label } of golden.cases) {
  test(`${name}: the official label map`, () => {
    scope(() => {
      const map = labelMap(size[2], size[3], { positive: r_pos / total_stride, ignored: r_neg / total_stride });
      assertClose(map, label);
      assert.equal(Number(map.eq(1).sum().item()), n_positive);
    });
  });
}

for (const { case: name, label_size: size, positive_label_width, label, ...boxes } of golden.shifted.cases) {
  test(`${name}: the label follows a search image that was moved`, () => {
    const [before, after] = [boxes.crop_box_before, boxes.crop_box_after];
    const moved = (axis: 0 | 1) => ((before[axis]! - after[axis]!) / after[3]!) * size;
    scope(() => {
      const map = labelMap(size, size, { positive: positive_label_width / 2, centre: [moved(0), moved(1)] });
      assertClose(map, label);
    });
  });
}
