import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawBox } from './draw-box.js';

test('the outline lies inside the box, and what is outside the picture is left out', () => {
  const picture = { data: new Uint8Array(5 * 6 * 3), height: 5, width: 6 };
  const drawn = () =>
    Array.from({ length: 5 }, (_, row) =>
      Array.from({ length: 6 }, (_, column) => (picture.data[(row * 6 + column) * 3 + 1] === 0 ? '.' : '#')).join(''),
    );
  drawBox(picture, [2, 1, 4, 3], [9, 8, 7]);
  assert.deepEqual(drawn(), ['.####.', '.#..#.', '.####.', '......', '......']);
  picture.data.fill(0);
  drawBox(picture, [5, 4, 40, 40], [9, 8, 7]);
  assert.deepEqual(drawn(), ['......', '......', '......', '....##', '....#.']);
  picture.data.fill(0);
  drawBox(picture, [-30, -30, 5, 5], [9, 8, 7]);
  assert.ok(picture.data.every((value) => value === 0));
});
