import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { full, scope, stack } from '@chronotope/torch';
import sharp from 'sharp';
import { readEvents, readFields } from '../../testing/tensorboard-reader.js';
import { StageFolder } from '../stage-folder.js';
import { StageEvents } from './stage-events.js';

const folder = mkdtempSync(path.join(tmpdir(), 'chronotope-stage-events-'));
after(() => rmSync(folder, { recursive: true }));
const SETTINGS = { seed: 3, student: { steps: 8, name: 'a', flip: true, crop: [0.5, 1], width: null } };

const valuesOf = () =>
  readEvents(path.join(folder, readdirSync(folder)[0]!)).flatMap(({ step, values }) =>
    values.map((value) => ({ step, ...value })),
  );

/** Two views of two videos of five frames: level v / 4 + n / 8 + t / 20, and the last channel 1. */
function clips() {
  const frame = (level: number) => stack([full([4, 6], level), full([4, 6], level), full([4, 6], 1)]);
  const clip = (level: number) => stack([0, 1, 2, 3, 4].map((t) => frame(level + t / 20))).permute([1, 0, 2, 3]);
  return stack([0, 1].map((v) => stack([0, 1].map((n) => clip(v / 4 + n / 8)))));
}

test('a stage shows its clips four times, its settings at the start, and its results at the end', async () => {
  const events = new StageEvents(new StageFolder(folder, 'stage'), { steps: 8, resumeStep: 0, hparams: SETTINGS });
  for (let step = 1; step <= 8; step++) {
    scope(() => events.clips(step, () => ({ 'labelled clip': clips() })));
    await events.settle();
  }
  events.end(8, { loss: 0.25, top1: 0.75 });

  const values = valuesOf();
  const stepsOf = (tag: string) => values.filter((value) => value.tag === tag).map(({ step }) => step);
  assert.deepEqual(stepsOf('batch/labelled clip'), [1, 3, 5, 7]);
  assert.deepEqual(stepsOf('clips/labelled clip'), [1, 3, 5, 7]);
  assert.deepEqual(
    values.filter(({ tag }) => tag.startsWith('final')).map(({ step, tag, scalar }) => [step, tag, scalar]),
    [
      [8, 'final/loss', 0.25],
      [8, 'final/top1', 0.75],
    ],
  );
});

/** The size that an image says it has, and its file decoded to R, G, B. */
async function decoded(tag: string) {
  const fields = readFields(valuesOf().find((value) => value.tag === tag)!.image!);
  assert.equal(fields.get(3)![0], 3, 'RGB');
  const image = sharp(fields.get(4)![0] as Buffer, { animated: true });
  const { format, width, pageHeight, pages } = await image.metadata();
  const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([fields.get(2)![0], fields.get(1)![0]], [width, pageHeight ?? info.height]);
  const at = (x: number, y: number) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)];
  return { format, width, pages, at };
}

test('the still picture is a PNG: a row for each video, a column for each view, the middle frames', async () => {
  const { format, width, at } = await decoded('batch/labelled clip');
  assert.deepEqual([format, width], ['png', 12]);
  const level = (v: number, n: number) => Math.round(255 * (v / 4 + n / 8 + 2 / 20));
  for (const v of [0, 1]) {
    for (const n of [0, 1]) assert.deepEqual(at(6 * v + 3, 4 * n + 1), [level(v, n), level(v, n), 255], `${v}, ${n}`);
  }
});

test('the animation is a GIF of all frames: clips beside each other, the views of the first video first', async () => {
  const { format, width, pages, at } = await decoded('clips/labelled clip');
  assert.deepEqual([format, width, pages], ['gif', 24, 5]);
  for (const [place, [v, n]] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ].entries()) {
    for (const t of [0, 4]) {
      const [red, , blue] = at(6 * place + 3, 4 * t + 1);
      // A GIF chooses its 256 colours by itself.
      assert.ok(Math.abs(red! - 255 * (v! / 4 + n! / 8 + t / 20)) < 6, `clip ${place}, frame ${t}: ${red}`);
      assert.ok(blue! > 249);
    }
  }
});

test('the settings are those of a session of the hparams plugin, which ends with success', () => {
  const data = (tag: string) => {
    const metadata = valuesOf().find((value) => value.tag === tag)!.metadata!;
    const plugin = readFields(readFields(metadata).get(1)![0] as Buffer);
    assert.equal(String(plugin.get(1)![0]), 'hparams');
    return readFields(plugin.get(2)![0] as Buffer);
  };
  const start = readFields(data('_hparams_/session_start_info').get(3)![0] as Buffer);
  const entries = (start.get(1) as Buffer[]).map((entry) => {
    const fields = readFields(entry);
    const [[kind, [value]]] = [...readFields(fields.get(2)![0] as Buffer)] as [[number, (number | Buffer)[]]];
    return [String(fields.get(1)![0]), kind, Buffer.isBuffer(value) ? String(value) : value];
  });
  assert.deepEqual(entries, [
    ['seed', 2, 3],
    ['student.steps', 2, 8],
    ['student.name', 3, 'a'],
    ['student.flip', 4, 1],
    ['student.crop', 3, '[0.5,1]'],
    ['student.width', 3, 'null'],
  ]);
  const end = readFields(data('_hparams_/session_end_info').get(4)![0] as Buffer);
  assert.equal(end.get(1)![0], 1);
});
