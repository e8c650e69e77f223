import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { decode, encode, readImages } from '@chronotope/video';
import { loadRecipeOf } from '../../recipes/load.js';
import { demoSequences, readSequences } from '../../testing/demo-sequences.js';
import { evaluateTrackers, type TrackerEvaluation } from './evaluate-trackers.js';
import { writeGot10kSubmission } from './submit-got10k.js';
import { trackVideo } from './track-video.js';
import { trainTracker } from './train-tracker.js';

const FRAMES = 4;
const data = await demoSequences({ train: 1, test: 2, frames: FRAMES });
const folder = mkdtempSync(join(tmpdir(), 'chronotope-tracking-'));
after(() => rmSync(folder, { recursive: true }));
const run = join(folder, 'tiny');

before(async () => {
  // What is measured here does not depend on what was learnt.
  const settings = ['model.width=4', 'model.head=null', 'pairs.epochs=0'];
  await trainTracker({ data, recipe: loadRecipeOf('tracker', 'tracker-small', settings), out: run });
});

test('every test sequence is tracked, scored, written as boxes and as a video, and reported', async () => {
  const { trackers, report } = await evaluateTrackers([run, run], { data, videos: true });
  const sequences = await readSequences(data, 'validation');
  const [first, second] = trackers as [TrackerEvaluation, TrackerEvaluation];
  assert.deepEqual(first.scores, second.scores, 'tracking is deterministic');
  assert.deepEqual(
    first.scores.sequences.map(({ id, frames }) => [id, frames]),
    sequences.map(({ id }) => [id, FRAMES]),
  );
  assert.ok(first.framesPerSecond > 0);
  for (const { id, boxes } of sequences) {
    const name = id.replace('/', '-');
    const lines = readFileSync(join(run, 'tracking', 'boxes', `${name}.txt`), 'utf8')
      .trim()
      .split('\n');
    assert.equal(lines.length, FRAMES);
    assert.equal(lines[0], boxes[0]!.map((value) => Number(value.toFixed(3))).join(','), 'starts from the true box');
    const video = await decode(join(run, 'tracking', 'videos', `${name}.mp4`));
    assert.deepEqual([video.timestamps.length, video.height, video.width], [FRAMES, 160, 240]);
  }
  const stored = JSON.parse(readFileSync(join(run, 'tracking', 'evaluation.json'), 'utf8')) as TrackerEvaluation;
  assert.deepEqual(stored.scores, first.scores);
  const page = readFileSync(report, 'utf8');
  assert.match(page, /class="line line-1"/, 'a curve for each run');
  assert.ok(page.includes('Success (GOT-10k)') && page.includes('Precision (OTB)'));
  for (const { id } of sequences) assert.ok(page.includes(id));
});

test('an object is followed through a video file', async () => {
  const [sequence] = await readSequences(data, 'validation');
  const pictures = readImages(sequence!.frames);
  const video = join(folder, 'in.mp4');
  await encode(
    pictures.map((picture) => picture.data),
    video,
    { height: 160, width: 240, fps: 10 },
  );
  const track = await trackVideo(run, video, { box: sequence!.boxes[0]!, out: join(folder, 'out.mp4') });
  assert.deepEqual(
    track.frames.map(({ time }) => time),
    [0, 0.1, 0.2, 0.3],
  );
  const close = track.frames[0]!.box.every((value, k) => Math.abs(value - sequence!.boxes[0]![k]!) < 1e-9);
  assert.ok(close, 'the first box is the given one');
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8')), track);
  const { data: pixels, timestamps } = await decode(join(folder, 'out.mp4'));
  assert.equal(timestamps.length, FRAMES);
  const [x, y] = sequence!.boxes[0]!;
  const at = (Math.round(y - 1) * 240 + Math.round(x - 1)) * 3;
  assert.ok(pixels[at]! > pixels[at + 2]! + 60, 'the corner of the box is red');
});

test('a box outside the video leaves no file behind', async () => {
  const out = join(folder, 'none.mp4');
  await assert.rejects(trackVideo(run, join(folder, 'in.mp4'), { box: [900, 1, 20, 20], out }), {
    code: 'box-outside',
  });
  assert.ok(!readdirSync(folder).some((name) => name.startsWith('none') || name.startsWith('.')));
});

test('an interruption is seen within a sequence', async () => {
  const stop = new AbortController();
  setImmediate(() => stop.abort());
  await assert.rejects(evaluateTrackers([run], { data, signal: stop.signal }), { code: 'interrupted' });
});

test('sequences that are not there, and data without test sequences, are named', async () => {
  await assert.rejects(evaluateTrackers([run], { data, sequences: ['Crossing'] }), {
    code: 'sequence-unknown',
    hint: /val\/demo_0001/,
  });
  await assert.rejects(evaluateTrackers([run], { data: join(data, 'train') }), { code: 'no-sequences' });
});

test('what the server of GOT-10k takes has the boxes of the evaluation, and the time of each frame', async () => {
  const out = join(folder, 'submission');
  const sequences = await readSequences(data, 'validation');
  assert.equal(await writeGot10kSubmission(run, { data, out }), sequences.length);
  for (const { id } of sequences) {
    const name = basename(id);
    const [boxes, times] = ['001', 'time'].map((kind) =>
      readFileSync(join(out, name, `${name}_${kind}.txt`), 'utf8')
        .trim()
        .split('\n'),
    );
    const evaluated = readFileSync(join(run, 'tracking', 'boxes', `${id.replace('/', '-')}.txt`), 'utf8').trim();
    assert.deepEqual(
      boxes!.map((line) => line.split(',').map(Number)),
      evaluated.split('\n').map((line) => line.split(',').map(Number)),
    );
    assert.match(boxes![0]!, /^(\d+\.\d{3},){3}\d+\.\d{3}$/);
    assert.equal(times!.length, FRAMES);
    assert.ok(times!.every((time) => /^\d+\.\d{8}$/.test(time) && Number(time) > 0));
  }
});
