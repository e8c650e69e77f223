import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { full, randn, scope, tensor } from '@chronotope/torch';
import fc from 'fast-check';
import { readEvents, readFields } from '../../testing/tensorboard-reader.js';
import { crc32c } from './crc32c.js';
import { EventFile } from './event-file.js';
import { histogram } from './stage-events.js';

const folder = mkdtempSync(path.join(tmpdir(), 'chronotope-events-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newFile = () => path.join(folder, `events.out.tfevents.${files++}`);

const scalars = (file: string) =>
  readEvents(file).flatMap(({ step, values }) => values.map(({ tag, scalar }) => [step, tag, scalar]));

test('CRC-32C gives the check value of RFC 3720 and that of its examples', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  assert.equal(crc32c(new Uint8Array()), 0);
});

test('an independent reader finds the version and every value', () => {
  const file = newFile();
  const events = new EventFile(file, 0);
  events.write(10, [
    { tag: 'train/loss', simpleValue: 0.5 },
    { tag: 'Genauigkeit ü', simpleValue: -2 },
  ]);
  events.write(3_000_000_000, [{ tag: 'train/loss', simpleValue: Number.NaN }]);
  assert.equal(readEvents(file)[0]!.version, 'brain.Event:2');
  assert.deepEqual(scalars(file), [
    [10, 'train/loss', 0.5],
    [10, 'Genauigkeit ü', -2],
    [3_000_000_000, 'train/loss', Number.NaN],
  ]);
});

test('after a kill at any byte and a resume from any step, every step has its event once', () => {
  fc.assert(
    fc.property(fc.nat(12), fc.nat(400), fc.boolean(), (resumeStep, cut, garbage) => {
      const file = newFile();
      const value = (step: number) => [{ tag: 'loss', simpleValue: step / 4 }];
      const first = new EventFile(file, 0);
      for (let step = 1; step <= 12; step++) first.write(step, value(step));
      const whole = scalars(file);
      const bytes = readFileSync(file).length;
      const kept = Math.max(0, bytes - cut);
      truncateSync(file, kept);
      if (garbage) appendFileSync(file, 'not an event');
      const survived = (12 * (kept - 40)) / (bytes - 40);
      const state = Math.max(0, Math.min(resumeStep, Math.floor(survived)));
      const second = new EventFile(file, state);
      for (let step = state + 1; step <= 12; step++) second.write(step, value(step));
      assert.deepEqual(scalars(file), whole);
      assert.equal(readEvents(file).filter(({ version }) => version !== undefined).length, 1);
    }),
    { numRuns: 60 },
  );
});

test('a histogram counts every value once, and keeps its sums', () => {
  scope(() => {
    const values = randn([40, 25]);
    const { min, max, num, sum, sumSquares, bucket, bucketLimit } = histogram(values)!;
    const all = [...(values.data() as Float32Array)];
    assert.deepEqual([min, max, num], [Math.min(...all), Math.max(...all), 1000]);
    assert.equal(
      bucket.reduce((total, count) => total + count),
      1000,
    );
    assert.ok(Math.abs(sum - all.reduce((total, value) => total + value)) < 1e-3);
    assert.ok(Math.abs(sumSquares - all.reduce((total, value) => total + value * value, 0)) < 1e-2);
    const below = (limit: number) => all.filter((value) => value < limit).length;
    let counted = 0;
    for (const [bin, limit] of bucketLimit.slice(0, -1).entries()) {
      counted += bucket[bin]!;
      assert.ok(Math.abs(counted - below(limit)) <= 1, 'but for rounding at the limits');
    }
    assert.equal(bucketLimit.at(-1), max);
    assert.deepEqual(histogram(full([7], 2))!.bucket.at(-1), 7);
    assert.equal(histogram(tensor([1, Number.NaN])), null);
  });
});

test('histograms are written as packed doubles', () => {
  const file = newFile();
  const events = new EventFile(file, 0);
  const histo = scope(() => histogram(tensor([0, 1, 1, 3]))!);
  events.write(1, [{ tag: 'weights/fc', histo }]);
  const fields = readFields(readEvents(file)[1]!.values[0]!.histo as Buffer);
  const doubles = (number: number) => {
    const bytes = fields.get(number)![0] as Buffer;
    return Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(8 * index));
  };
  assert.deepEqual(
    [2, 3, 4, 5].map((number) => fields.get(number)?.[0]),
    [3, 4, 5, 11],
  );
  assert.deepEqual(doubles(6), histo.bucketLimit);
  assert.deepEqual(doubles(7), histo.bucket);
});
