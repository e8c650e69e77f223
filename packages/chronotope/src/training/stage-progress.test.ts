import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MetricsLine } from './metrics-window.js';
import { describeLine, StageProgress } from './stage-progress.js';

const line: MetricsLine = {
  step: 20,
  learningRate: 0.1,
  metrics: { loss: 0.51234, accuracy: 0.75 },
  samplesPerSecond: 37.6,
  dataShare: 0.12,
  forwardShare: 0.4,
  backwardShare: 0.41,
  optimizerShare: 0.05,
  residentBytes: 1.5 * 2 ** 30,
  tensorBytes: 1e6,
};

/** What people were told by a stage of 100 steps, with a clock that the test turns. */
function told(during: (progress: StageProgress, clock: { seconds: number }) => void) {
  const notes: string[] = [];
  const updates: string[] = [];
  const clock = { seconds: 0 };
  const task = {
    update: (done: number, detail = '') => void updates.push(`${done} ${detail}`.trim()),
    end: (summary = '') => void updates.push(summary),
  };
  const progress = { begin: () => task, note: (text: string) => void notes.push(text) };
  during(new StageProgress(progress, 'student', 100, () => 1000 * clock.seconds), clock);
  return { notes, updates };
}

test('a line says how good, how fast, where the time goes and how much memory', () => {
  assert.equal(
    describeLine(line),
    'loss 0.512  accuracy 0.750  38 samples/s  data 12% forward 40% backward 41% optimiser 5%  1.5 GiB',
  );
});

test('every step moves on, with the last metrics and the last validation beside it', () => {
  const { updates, notes } = told((progress) => {
    progress.step(1);
    progress.line({ ...line, validation: { top1: 0.5 } });
    progress.line(line);
    progress.end('stopped early at step 21');
  });
  const detail = describeLine({ ...line, validation: { top1: 0.5 } });
  assert.match(detail, /^loss 0\.512 {2}accuracy 0\.750 {2}validation: top1 0\.500 {2}38 samples/);
  assert.deepEqual(updates, ['1', `20 ${detail}`, `20 ${detail}`, `${detail}  stopped early at step 21`]);
  assert.deepEqual(notes, []);
});

test('training that waits for data gets advice once, after a minute; other training none', () => {
  const lines = (dataShare: number) =>
    told((progress, clock) => {
      for (let count = 0; count < 10; count++) {
        clock.seconds += 10;
        progress.line({ ...line, dataShare });
        if (count === 4) progress.step(21);
      }
    }).notes;
  assert.equal(lines(0.8).length, 1);
  assert.match(lines(0.8)[0]!, /^ {2}student: 80% of the time goes into waiting for clips\. .*frames\.format: raw/);
  assert.deepEqual(lines(0.4), []);
});
