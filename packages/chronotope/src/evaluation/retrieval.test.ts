import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope, tensor } from '@chronotope/torch';
import { randomStream } from '../random.js';
import { foundAt, retrieve } from './retrieval.js';

/** Points of the plane at these angles in degrees: a query at 0 ranks them by their absolute angle. */
function atAngles(...angles: number[]) {
  return tensor(angles.map((angle) => [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]));
}

test('average precision of right items on places 1, 3 and 4 is (1 + 2/3 + 3/4) / 3', () => {
  scope(() => {
    const gallery = { features: atAngles(10, -20, 30, 40, 50), labels: [1, 0, 1, 1, 0] };
    const [result] = retrieve({ features: atAngles(0), labels: [1] }, gallery);
    assert.equal(result!.firstHit, 1);
    assert.ok(Math.abs(result!.averagePrecision - (1 + 2 / 3 + 3 / 4) / 3) < 1e-12);
    const [second] = retrieve({ features: atAngles(0), labels: [0] }, gallery);
    assert.deepEqual(
      [1, 2, 5].map((k) => foundAt([second!], k)[0]),
      [0, 1, 1],
    );
  });
});

test('a class that the gallery does not have is never found and has precision 0', () => {
  scope(() => {
    const results = retrieve({ features: atAngles(0), labels: [2] }, { features: atAngles(10, 20), labels: [0, 1] });
    assert.deepEqual(results, [{ firstHit: Number.POSITIVE_INFINITY, averagePrecision: 0 }]);
    assert.deepEqual(foundAt(results, 1000), [0]);
  });
});

test('R@k and average precision of random features are those of a plain sort, whatever their lengths', () => {
  const random = randomStream(5, 'test');
  const draw = (rows: number) => ({
    rows: Array.from({ length: rows }, () => Array.from({ length: 6 }, () => random.normal())),
    labels: Array.from({ length: rows }, () => random.int(4)),
  });
  const [queries, gallery] = [draw(25), draw(30)];
  const unit = (row: number[]) => row.map((value) => value / Math.hypot(...row));
  scope(() => {
    const results = retrieve(
      { features: tensor(queries.rows), labels: queries.labels },
      {
        features: tensor(gallery.rows.map((row, item) => row.map((value) => value * (item + 1)))),
        labels: gallery.labels,
      },
    );
    for (const [query, row] of queries.rows.entries()) {
      const ranked = gallery.rows
        .map((item, index) => ({
          right: gallery.labels[index] === queries.labels[query],
          cosine: unit(item).reduce((sum, value, k) => sum + value * unit(row)[k]!, 0),
        }))
        .sort((a, b) => b.cosine - a.cosine)
        .map(({ right }) => right);
      const places = ranked.flatMap((right, place) => (right ? [place + 1] : []));
      const precision = places.reduce((sum, place, hit) => sum + (hit + 1) / place, 0) / places.length;
      assert.equal(results[query]!.firstHit, places[0]);
      assert.ok(Math.abs(results[query]!.averagePrecision - precision) < 1e-12);
    }
  });
});
