import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rand, randint, resampleFrames, type Tensor, tensor, turnHue, zeros } from './index.js';

/** einsum: rows and columns applied to every picture in double precision. */
function mixed(frames: Tensor, rows: Tensor, columns: Tensor): Tensor {
  const [n, t, h, w] = frames.shape as [number, number, number, number];
  const pictures = frames
    .to({ dtype: 'float64' })
    .permute([0, 4, 1, 2, 3])
    .reshape([n, 3 * t, h, w]);
  const down = rows.to({ dtype: 'float64' }).unsqueeze(1).matmul(pictures);
  const both = down.matmul(columns.to({ dtype: 'float64' }).transpose(1, 2).unsqueeze(1));
  return both.div(255).view([n, 3, t, rows.shape[1]!, columns.shape[1]!]);
}

/** A matrix of which each row has a stretch of up to five values. */
function banded(n: number, outputs: number, inputs: number): Tensor {
  const values = new Float32Array(n * outputs * inputs);
  for (let row = 0; row < n * outputs; row++) {
    const [first, count] = [(row * 7) % inputs, row % 6];
    for (let k = first; k < Math.min(inputs, first + count); k++) values[row * inputs + k] = Math.sin(row + k);
  }
  return tensor(values, { shape: [n, outputs, inputs] });
}

test('pictures are mixed by their matrices, also by rows without anything and up to the last pixel', () => {
  for (const [height, width, outHeight, outWidth] of [
    [23, 31, 9, 40],
    [5, 3, 8, 1],
    [1, 50, 3, 7],
  ] as const) {
    const frames = randint(0, 256, [2, 3, height, width, 3], { dtype: 'uint8' });
    const [rows, columns] = [banded(2, outHeight, height), banded(2, outWidth, width)];
    const output = zeros([2, 3, 3, outHeight, outWidth]);
    resampleFrames(frames, rows, columns, output);
    const difference = output
      .to({ dtype: 'float64' })
      .sub(mixed(frames, rows, columns))
      .abs()
      .max()
      .item() as number;
    assert.ok(difference < 1e-5, `${difference}`);
  }
});

test('a strided view of frames is read as it is', () => {
  const frames = randint(0, 256, [2, 4, 6, 8, 3], { dtype: 'uint8' });
  const part = frames.narrow(1, 1, 2).narrow(3, 2, 4);
  const [rows, columns] = [banded(2, 5, 6), banded(2, 5, 4)];
  const [one, other] = [zeros([2, 3, 2, 5, 5]), zeros([2, 3, 2, 5, 5])];
  resampleFrames(part, rows, columns, one);
  resampleFrames(part.contiguous(), rows, columns, other);
  assert.ok(one.equal(other));
});

test('a third of the circle turns red to green; a whole one changes nothing; grays stay', () => {
  const pixels = [1, 0.5, 0.2, 0.7, 0, 0.5, 0.2, 0.1, 0, 0.5, 0.2, 0.4];
  const clips = tensor(Float32Array.from([...pixels, ...pixels]), { shape: [2, 3, 4] });
  turnHue(clips, tensor(Float32Array.from([1 / 3, 1])));
  const near = (actual: Tensor, expected: number[]): void => {
    for (const [k, value] of (actual.contiguous().data() as Float32Array).entries()) {
      assert.ok(Math.abs(value - expected[k]!) < 1e-6, `${k}: ${value} is not ${expected[k]}`);
    }
  };
  near(clips.select(0, 0).select(1, 0), [0, 1, 0]);
  near(clips.select(0, 0).select(1, 1), [0.5, 0.5, 0.5]);
  near(clips.select(0, 0).select(1, 3), [0.4, 0.7, 0.1]);
  near(clips.select(0, 1), pixels);
});

test('wrong shapes and dtypes are errors that name the operator', () => {
  const frames = randint(0, 256, [1, 1, 4, 4, 3], { dtype: 'uint8' });
  const matrix = banded(1, 4, 4);
  const output = zeros([1, 3, 1, 4, 4]);
  assert.throws(() => resampleFrames(rand([1, 1, 4, 4, 3]), matrix, matrix, output), /resample_frames: needs uint8/);
  assert.throws(
    () => resampleFrames(frames, banded(1, 4, 5), matrix, output),
    /resample_frames: needs float32 matrices/,
  );
  assert.throws(
    () => resampleFrames(frames, matrix, matrix, zeros([1, 3, 1, 4, 5])),
    /resample_frames: needs a contig/,
  );
  assert.throws(() => turnHue(zeros([2, 3, 4]), zeros([3])), /turn_hue_: needs a shift a clip/);
  assert.throws(() => turnHue(zeros([2, 4, 4]), zeros([2])), /turn_hue_: needs contiguous float32/);
});
