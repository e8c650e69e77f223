import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { empty, fileTrees, images } from '../../testing/file-tree.js';
import { framePaths } from '../manifest.js';
import { describeFrames } from './frame-files.js';
import { readDataset } from './read-dataset.js';

const tree = fileTrees();

async function rejectsTable(name: string, content: string, line: number | null, message: RegExp): Promise<void> {
  const root = tree({ [name]: content, ...empty('a.mp4', 'b.mp4') });
  await assert.rejects(
    readDataset(join(root, name)),
    (error: Error & { code?: string; details?: { line: number } }) => {
      assert.equal(error.code, 'malformed-line', error.message);
      assert.equal(error.details?.line, line, error.message);
      assert.match(error.message, message);
      return true;
    },
  );
}

test('CSV: header in any order and case, quotes, byte order mark, CRLF, blank lines, clips, other column names', async () => {
  const root = tree({
    'videos.csv':
      '\uFEFFClass,Person,Video,split,fps\r\n"dance, slow",p1,"a, b.mp4",val,25\r\n\r\n,p2,sub/c.mp4,,30\r\n"say ""hi""",,d.mp4,test,\r\n',
    ...empty('a, b.mp4', 'sub/c.mp4', 'd.mp4'),
  });
  const { format, entries, classes } = await readDataset(join(root, 'videos.csv'));
  assert.equal(format, 'csv');
  assert.deepEqual(entries, [
    { id: 'a, b.mp4', path: join(root, 'a, b.mp4'), label: 'dance, slow', split: 'validation', group: 'p1' },
    { id: 'sub/c.mp4', path: join(root, 'sub/c.mp4'), label: null, split: 'train', group: 'p2' },
    { id: 'd.mp4', path: join(root, 'd.mp4'), label: 'say "hi"', split: 'test' },
  ]);
  assert.deepEqual(classes, ['dance, slow', 'say "hi"']);
});

test('CSV: clips of one video are a group; semicolons and tabs; no header; a column the caller names', async () => {
  const root = tree({
    'clips.csv': 'path;label;start;end\na.mp4;wave;1.5;3\na.mp4;jump;3;\n',
    'frames.tsv': 'path\tlabel\tstart_frame\tend_frame\na.mp4\twave\t0\t30\n',
    'bare.csv': 'a.mp4,wave\n./b.mp4,jump\n',
    'named.csv': 'path,label,place\na.mp4,wave,kitchen\n',
    ...empty('a.mp4', 'b.mp4'),
  });
  const clips = (await readDataset(join(root, 'clips.csv'))).entries;
  assert.deepEqual(
    clips.map(({ id, group, clip }) => [id, group, clip]),
    [
      ['a.mp4#1.5-3', 'a.mp4', { unit: 'seconds', start: 1.5, end: 3 }],
      ['a.mp4#3-', 'a.mp4', { unit: 'seconds', start: 3, end: null }],
    ],
  );
  const [inFrames] = (await readDataset(join(root, 'frames.tsv'))).entries;
  assert.deepEqual(inFrames!.clip, { unit: 'frames', start: 0, end: 30 });
  const bare = (await readDataset(join(root, 'bare.csv'))).entries;
  assert.deepEqual(
    bare.map(({ id, label }) => [id, label]),
    [
      ['a.mp4', 'wave'],
      ['b.mp4', 'jump'],
    ],
  );
  const named = (await readDataset(join(root, 'named.csv'), { columns: { group: 'place' } })).entries;
  assert.equal(named[0]!.group, 'kitchen');
  await assert.rejects(readDataset(join(root, 'named.csv'), { columns: { group: 'room' } }), { message: /"room"/ });
});

test('CSV: malformed lines', async () => {
  await rejectsTable('t.csv', 'path,label\na.mp4,x\nb.mp4\n', 3, /expected 2 fields, got 1: b\.mp4/);
  await rejectsTable('t.csv', 'path,label\na.mp4,"x\n', 2, /not CSV/);
  await rejectsTable('t.csv', 'path,split\na.mp4,holdout\n', 2, /train, validation, test or unused .* "holdout"/);
  await rejectsTable('t.csv', 'path,label\n,x\n', 2, /expected the path of a video/);
  await rejectsTable('t.csv', 'path,start,end\na.mp4,4,2\n', 2, /got 4 to 2/);
  await rejectsTable('t.csv', 'path,start,end\na.mp4,soon,2\n', 2, /expected seconds .* "soon"/);
  await rejectsTable('t.csv', 'path,start_frame\na.mp4,1.5\n', 2, /expected a frame number/);
  await rejectsTable('t.csv', 'name,label,split,fps\na.mp4,x,train,2\n', 1, /a header with a column "path"/);
  await rejectsTable('t.csv', '', null, /empty file/);
});

test('whatever text a field holds comes back from CSV', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'binary', minLength: 1 }), { minLength: 1, maxLength: 5 }),
      async (labels) => {
        const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const rows = labels.map((label, k) => `${k}.mp4,${quote(label)}\r\n`);
        const root = tree({ 't.csv': `path,label\r\n${rows.join('')}` });
        const { entries } = await readDataset(join(root, 't.csv'), { missing: 'keep' });
        assert.deepEqual(
          entries.map(({ label }) => label),
          labels,
        );
      },
    ),
    { numRuns: 50 },
  );
});

test('JSONL: the same fields, numbers too; a manifest is recognised as one', async () => {
  const root = tree({
    'list.jsonl':
      '{"file":"a.mp4","label":3,"start":0,"end":2.5,"text":"a hand waves"}\n\n{"file":"gone.mp4","label":null}\n',
    'manifest.jsonl': '{"id":"a","path":"/x/a.mp4","label":null,"split":"train"}\n',
    ...empty('a.mp4'),
  });
  const list = await readDataset(join(root, 'list.jsonl'));
  assert.equal(list.format, 'jsonl');
  assert.deepEqual(list.missing, { count: 1, first: ['gone.mp4'] });
  assert.deepEqual(list.entries, [
    {
      id: 'a.mp4#0-2.5',
      path: join(root, 'a.mp4'),
      label: '3',
      split: 'train',
      group: 'a.mp4',
      text: 'a hand waves',
      clip: { unit: 'seconds', start: 0, end: 2.5 },
    },
  ]);
  assert.equal((await readDataset(join(root, 'manifest.jsonl'))).format, 'manifest');
  await rejectsTable('t.jsonl', '{"path":"a.mp4"}\n{"path":\n', 2, /expected a JSON object/);
  await rejectsTable('t.jsonl', '{"path":"a.mp4"}\n["b.mp4"]\n', 2, /expected a JSON object, got \["b\.mp4"\]/);
  await rejectsTable('t.jsonl', '{"name":"a.mp4"}\n', 1, /expected a field "path"/);
  await rejectsTable('t.jsonl', '{"path":"a.mp4","label":["x"]}\n', 1, /in "label", got \["x"\]/);
});

test('folders of videos: classes, or a flat folder; a group pattern sets groups', async () => {
  const classes = await readDataset(tree(empty('wave/p1.mp4', 'jump/p2.mp4', '_unlabelled/p3.mp4')), {
    groupPattern: /(p\d)\.mp4$/,
  });
  assert.deepEqual([classes.format, classes.recognisedBy], ['class-folders', 'videos in the folder _unlabelled/']);
  assert.deepEqual(
    classes.entries.map(({ id, group }) => [id, group]),
    [
      ['jump/p2.mp4', 'p2'],
      ['wave/p1.mp4', 'p1'],
      ['_unlabelled/p3.mp4', 'p3'],
    ],
  );
  const flat = await readDataset(tree(empty('b.mp4', 'a.mkv', 'notes.txt', '.hidden.mp4')));
  assert.equal(flat.format, 'videos');
  assert.deepEqual(
    flat.entries.map(({ id, label, split }) => [id, label, split]),
    [
      ['a.mkv', null, 'train'],
      ['b.mp4', null, 'train'],
    ],
  );
});

test('frame folders: with and without classes and parts; numbers are ordered as numbers', async () => {
  const root = tree({
    ...images('train/wave/clip1', 3),
    ...empty('train/jump/clip2/f9.png', 'train/jump/clip2/f10.png', 'train/jump/clip2/f11.png'),
    ...empty('val/jump/clip3/0001.jpg', 'val/jump/clip3/0003.jpg'),
  });
  const { format, entries } = await readDataset(root);
  assert.equal(format, 'frame-folders');
  assert.deepEqual(
    entries.map(({ id, label, split, frames }) => [id, label, split, frames]),
    [
      ['train/jump/clip2', 'jump', 'train', { pattern: 'f%d.png', first: 9, count: 3 }],
      ['train/wave/clip1', 'wave', 'train', { pattern: '%05d.jpg', first: 1, count: 3 }],
      ['val/jump/clip3', 'jump', 'validation', { files: ['0001.jpg', '0003.jpg'] }],
    ],
  );
  assert.deepEqual(
    framePaths(entries[0]!).map((path) => path.slice(root.length + 1)),
    ['train/jump/clip2/f9.png', 'train/jump/clip2/f10.png', 'train/jump/clip2/f11.png'],
  );
});

test('a description of frames names the frames, whatever their names', () => {
  const numbers = fc.uniqueArray(fc.nat(20_000), { minLength: 1, maxLength: 30 });
  const prefix = fc.stringMatching(/^[a-z%_]{0,4}$/);
  fc.assert(
    fc.property(numbers, prefix, fc.integer({ min: 0, max: 6 }), fc.boolean(), (list, before, width, gapless) => {
      const first = list[0]!;
      const used = gapless ? list.map((_, k) => first + k) : [...list];
      const ordered = used.sort((a, b) => a - b).map((n) => `${before}${String(n).padStart(width, '0')}.jpg`);
      const frames = describeFrames([...ordered].reverse());
      assert.deepEqual(
        framePaths({ id: 'x', path: '/d', label: null, split: 'train', frames }),
        ordered.map((name) => `/d/${name}`),
      );
    }),
  );
});

test('image folders: ImageNet with and without class folders in val/', async () => {
  const root = tree(
    empty(
      'train/n01440764/n01440764_10026.JPEG',
      'train/n01440764/n01440764_36.JPEG',
      'train/n01443537/n01443537_2.JPEG',
      'val/ILSVRC2012_val_00000003.JPEG',
    ),
  );
  const { format, entries, classes } = await readDataset(root);
  assert.equal(format, 'image-folders');
  assert.deepEqual(classes, ['n01440764', 'n01443537']);
  assert.deepEqual(entries.map(({ id, label, split }) => [id, label, split]).at(-1), [
    'val/ILSVRC2012_val_00000003.JPEG',
    null,
    'validation',
  ]);
  assert.equal(entries.length, 4);
});

test('what may be two things is an error that lists both; naming the format settles it', async () => {
  const numbered = tree({ ...images('a', 4), ...images('b', 4) });
  await assert.rejects(readDataset(numbered), {
    code: 'ambiguous-format',
    message: /frame-folders \(the numbered images in a\/\) or image-folders \(the images in the folder a\/\)/,
  });
  assert.equal((await readDataset(numbered, { format: 'frame-folders' })).entries.length, 2);
  assert.equal((await readDataset(numbered, { format: 'image-folders' })).entries.length, 8);

  const both = tree({ 'clips.csv': 'path,label\na/1.mp4,a\n', ...empty('a/1.mp4', 'b/2.mp4') });
  await assert.rejects(readDataset(both), {
    code: 'ambiguous-format',
    message: /csv \(the table clips\.csv\) or class-folders/,
  });
  assert.equal((await readDataset(both, { format: 'csv' })).entries.length, 1);
});

test('a source that is missing, unknown or repeats a video', async () => {
  await assert.rejects(readDataset('/no/such/folder'), { code: 'source-missing' });
  await assert.rejects(readDataset(tree({ 'notes.md': 'hello' })), { code: 'unknown-format' });
  await assert.rejects(readDataset(tree({})), { code: 'folder-empty' });
  await assert.rejects(readDataset(tree({ 'notes.md': 'hello' }), { format: 'ucf101' }), { code: 'wrong-format' });
  const twice = tree({ 't.csv': 'path\na.mp4\na.mp4\n', ...empty('a.mp4') });
  await assert.rejects(readDataset(join(twice, 't.csv')), { code: 'repeated-id', message: /"a\.mp4" twice/ });
});
