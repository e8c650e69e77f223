import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope, tensor } from '@chronotope/torch';
import { assertClose, type Nested, readGolden } from '../../testing/golden.js';
import { goldenImage, imageTensor, sha256 } from '../../testing/siamfc-golden.js';
import { type CropRule, cropSquare, meanColour } from './crop.js';

interface Case {
  case: string;
  kind: CropRule;
  image_shape: [number, number, number];
  image_sha256: string;
  centre_yx: [number, number];
  size: number;
  out_size: number;
  border_value: [number, number, number];
  patch: Nested;
}

for (const golden of readGolden<{ cases: Case[] }>('ccl/siamfc_crop.json').cases) {
  test(`${golden.case}: the official crop, within a grey level`, () => {
    scope(() => {
      const [height, width] = golden.image_shape;
      const pixels = goldenImage(height, width);
      assert.equal(sha256(pixels), golden.image_sha256);
      const image = imageTensor(pixels, height, width);
      assertClose(tensor(meanColour(image)), golden.border_value);
      const [y, x] = golden.centre_yx;
      const padding = () => golden.border_value;
      const crop = { centre: [x, y] as const, side: golden.size, size: golden.out_size, padding };
      const patch = cropSquare(image, crop, golden.kind);
      assertClose(patch.permute([1, 2, 0]).contiguous(), golden.patch, { relative: 0, absolute: 1.001 });
    });
  });
}
