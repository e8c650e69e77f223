import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { empty, fileTrees } from '../../testing/file-tree.js';
import { localNames } from './clip-labels.js';
import { readDataset } from './read-dataset.js';

const tree = fileTrees();

const choice = (label: string, control = 'choice') => ({
  type: 'choices',
  from_name: control,
  to_name: 'video',
  value: { choices: [label] },
});
const timeline = (label: string, start: number, end: number) => ({
  type: 'timelinelabels',
  value: { ranges: [{ start, end }], timelinelabels: [label] },
});
const task = (id: number, video: string, ...annotations: object[]) => ({ id, data: { video }, annotations });
const annotation = (...result: object[]) => ({ result, was_cancelled: false, ground_truth: false });

function exported(tasks: unknown, ...videos: string[]): string {
  return join(tree({ 'export.json': JSON.stringify(tasks), ...empty(...videos) }), 'export.json');
}

test('Label Studio: choices label videos, ranges on the timeline label clips, both under the names of its storage', async () => {
  const path = exported(
    [
      task(1, '/data/upload/3/0a1b2c3d-wave%20one.mp4', annotation(choice('wave'))),
      task(2, '/data/local-files/?d=kitchen/b.mp4', annotation(timeline('cut', 1, 30), timeline('stir', 61, 90))),
      task(3, 's3://bucket/raw/c.mp4?versionId=1', { ...annotation(choice('jump')), was_cancelled: true }),
      task(4, 'https://example.org/v/d.mp4', annotation(choice('jump')), annotation(choice('wave'))),
      task(5, 'e.mp4', annotation(choice('jump')), { ...annotation(choice('wave')), ground_truth: true }),
      task(6, 'f.mp4', annotation({ type: 'labels', value: { start: 0.5, end: 2, labels: ['wave'] } })),
      task(7, 'gone.mp4', annotation(choice('jump'))),
    ],
    ...['wave one.mp4', 'kitchen/b.mp4', 'raw/c.mp4', 'd.mp4', 'e.mp4', 'f.mp4'],
  );
  const { format, entries, missing, notes } = await readDataset(path);
  assert.equal(format, 'label-studio');
  assert.deepEqual(
    entries.map(({ id, label, group, clip }) => [id, label, group, clip]),
    [
      ['wave one.mp4', 'wave', undefined, undefined],
      ['kitchen/b.mp4#f0-30', 'cut', 'kitchen/b.mp4', { unit: 'frames', start: 0, end: 30 }],
      ['kitchen/b.mp4#f60-90', 'stir', 'kitchen/b.mp4', { unit: 'frames', start: 60, end: 90 }],
      ['raw/c.mp4', null, undefined, undefined],
      ['d.mp4', null, undefined, undefined],
      ['e.mp4', 'wave', undefined, undefined],
      ['f.mp4#0.5-2', 'wave', 'f.mp4', { unit: 'seconds', start: 0.5, end: 2 }],
    ],
  );
  assert.deepEqual(missing, { count: 1, first: ['gone.mp4'] });
  assert.deepEqual(notes, [
    '1 videos have no label yet',
    '1 videos are labelled differently by different people: unlabelled',
  ]);
});

test('Label Studio: of several choices the caller names one', async () => {
  const path = exported([task(9, 'a.mp4', annotation(choice('wave', 'action'), choice('good', 'quality')))], 'a.mp4');
  await assert.rejects(readDataset(path), { code: 'malformed-line', message: /task 9: .*"action", "quality"/ });
  assert.equal((await readDataset(path, { columns: { label: 'action' } })).entries[0]!.label, 'wave');
});

test('Label Studio: malformed tasks are named', async () => {
  const cases: [unknown, RegExp][] = [
    [[{ id: 4, annotations: [] }], /task 1: "data"/],
    [[{ id: 4, data: { text: 'hello' }, annotations: [] }], /task 4: expected the name of a video/],
    [
      [task(4, 'a.mp4', annotation({ type: 'choices', value: { choices: ['x', 'y'] } }))],
      /task 4: expected one class, got "x", "y"/,
    ],
    [[task(4, 'a.mp4', annotation({ type: 'choices', value: { choices: 'x' } }))], /task 4: result "value.choices"/],
    [[task(4, 'a.mp4', annotation(timeline('x', 0, 5)))], /frames from 1 on, got 0 to 5/],
    [
      [
        task(
          4,
          'a.mp4',
          annotation({ type: 'timelinelabels', value: { ranges: [{ start: 1, end: 2 }], timelinelabels: [] } }),
        ),
      ],
      /one label/,
    ],
  ];
  for (const [tasks, message] of cases) {
    await assert.rejects(readDataset(exported(tasks, 'a.mp4'), { format: 'label-studio' }), {
      code: 'malformed-line',
      message,
    });
  }
});

test('names in a storage become names on this disk', () => {
  assert.deepEqual(localNames('/data/upload/3/0a1b2c3d-a.mp4'), [
    'data/upload/3/0a1b2c3d-a.mp4',
    'upload/3/0a1b2c3d-a.mp4',
    '3/0a1b2c3d-a.mp4',
    '0a1b2c3d-a.mp4',
    'a.mp4',
  ]);
  assert.deepEqual(localNames('C:\\clips\\..\\a.mp4'), ['C:/clips/a.mp4', 'clips/a.mp4', 'a.mp4']);
  assert.deepEqual(localNames('100%.mp4'), ['100%.mp4']);
});

const box = (frame: number, outside: 0 | 1) =>
  `<box frame="${frame}" keyframe="1" outside="${outside}" occluded="0" xtl="0" ytl="0" xbr="9" ybr="9" z_order="0"></box>`;
const xml = (meta: string, body: string) =>
  `<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n<meta>${meta}</meta>\n${body}\n</annotations>\n`;
const taskMeta = (source: string, more = '') =>
  `<task><id>7</id><name>kitchen</name><size>300</size><mode>interpolation</mode>${more}<source>${source}</source></task>`;

test('CVAT for video: a track is a clip for as long as it is visible', async () => {
  const tracks =
    `<track id="0" label="cut &amp; peel" source="manual">${box(10, 0)}${box(11, 0)}${box(40, 1)}${box(60, 0)}${box(75, 1)}</track>` +
    `<track id="1" label="stir">${box(290, 0)}${box(299, 0)}</track>`;
  const root = tree({ 'annotations.xml': xml(taskMeta('a.mp4'), tracks), ...empty('a.mp4') });
  const { format, entries, classes } = await readDataset(join(root, 'annotations.xml'));
  assert.equal(format, 'cvat');
  assert.deepEqual(classes, ['cut & peel', 'stir']);
  assert.deepEqual(
    entries.map(({ label, group, clip }) => [label, group, clip]),
    [
      ['cut & peel', 'a.mp4', { unit: 'frames', start: 10, end: 40 }],
      ['cut & peel', 'a.mp4', { unit: 'frames', start: 60, end: 75 }],
      ['stir', 'a.mp4', { unit: 'frames', start: 290, end: 300 }],
    ],
  );
});

test('CVAT: tags of frames become clips, a single tag labels the video, frame steps count', async () => {
  const image = (id: number, ...tags: string[]) =>
    `<image id="${id}" name="frame_${id}" width="64" height="48">${tags.map((tag) => `<tag label="${tag}" source="manual"></tag>`).join('')}</image>`;
  const root = tree({
    'a.xml': xml(
      taskMeta('a.mp4', '<frame_filter>step=5</frame_filter>'),
      [image(0, 'x'), image(5, 'x', 'y'), image(10, 'y'), image(20, 'y')].join(''),
    ),
    'b.xml': xml(taskMeta('b.mp4'), image(0, 'whole')),
    'c.xml': xml(taskMeta('c.mp4'), ''),
    ...empty('videos/a.mp4', 'videos/b.mp4', 'videos/c.mp4'),
  });
  const { entries, notes } = await readDataset(root, { format: 'cvat', videos: join(root, 'videos') });
  assert.deepEqual(
    entries.map(({ id, label }) => [id, label]),
    [
      ['a.mp4#f0-10', 'x'],
      ['a.mp4#f5-15', 'y'],
      ['a.mp4#f20-25', 'y'],
      ['b.mp4', 'whole'],
      ['c.mp4', null],
    ],
  );
  assert.deepEqual(notes, ['1 videos have no track and no tag: unlabelled']);
});

test('CVAT: a project has several tasks, told apart by their numbers', async () => {
  const project =
    '<project><name>p</name><tasks><task><id>1</id><name>one</name><source>a.mp4</source></task><task><id>2</id><name>two</name><source>b.mp4</source></task></tasks></project>';
  const tracks = `<track id="0" label="x" task_id="2">${box(0, 0)}${box(9, 1)}</track><track id="1" label="y" task_id="1">${box(3, 0)}${box(4, 1)}</track>`;
  const root = tree({ 'p.xml': xml(project, tracks), ...empty('a.mp4', 'b.mp4') });
  const { entries } = await readDataset(join(root, 'p.xml'));
  assert.deepEqual(
    entries.map(({ id, label }) => [id, label]),
    [
      ['a.mp4#f3-4', 'y'],
      ['b.mp4#f0-9', 'x'],
    ],
  );
});

test('CVAT: malformed exports', async () => {
  const cases: [string, number | null, RegExp][] = [
    ['<annotations>\n<meta>\n</annotations>', 3, /not XML/],
    [
      xml(taskMeta('a.mp4'), `<track id="0" label="x"><box frame="one" outside="0"/></track>`),
      null,
      /<track> number 1, "box\.0\.frame"/,
    ],
    [xml(taskMeta('a.mp4'), `<track id="0">${box(0, 0)}</track>`), null, /"label"/],
    [xml(taskMeta('a.mp4'), '<track id="4" label="x"></track>'), null, /track 4: expected at least one shape/],
    [xml('<task><id>7</id></task>', ''), null, /expected the name of the video/],
  ];
  for (const [content, line, message] of cases) {
    const root = tree({ 'a.xml': content, ...empty('a.mp4') });
    await assert.rejects(readDataset(join(root, 'a.xml')), (error: Error & { details?: { line: number | null } }) => {
      assert.match(error.message, message);
      assert.equal(error.details?.line, line);
      return true;
    });
  }
});
