import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { empty, fileTrees, images } from '../../testing/file-tree.js';
import type { DatasetFormat } from '../readers/dataset.js';
import { readDataset } from '../readers/read-dataset.js';
import { type SourceReading, videosOf } from './source.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-source-'));
after(() => rmSync(folder, { recursive: true }));

const tree = fileTrees();

function write(name: string, text = ''): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

test('a folder gives label and split by place, and says what it passes over', async () => {
  const files = [
    'wave/a.mp4',
    'wave/deep/b.MKV',
    '_unlabelled/u.mp4',
    '_test/wave/t.mp4',
    'loose.avi',
    'wave/notes.txt',
  ];
  for (const file of [...files, '_old/x.mp4', '_test/stray.mp4', '.hidden/y.mp4', 'README']) write(`set/${file}`);
  const { videos, ignored, warnings } = await videosOf(join(folder, 'set'));
  assert.deepEqual(
    videos.map(({ id, label, split }) => [id, label, split]),
    [
      ['_test/wave/t.mp4', 'wave', 'test'],
      ['_unlabelled/u.mp4', null, 'train'],
      ['loose.avi', null, 'train'],
      ['wave/a.mp4', 'wave', 'train'],
      ['wave/deep/b.MKV', 'wave', 'train'],
    ],
  );
  assert.equal(videos[3]!.path, join(folder, 'set', 'wave', 'a.mp4'));
  assert.deepEqual(ignored, ['README', 'wave/notes.txt']);
  assert.equal(warnings.length, 2);
  assert.match(warnings.join(), /1 video\(s\) in _old/);
  assert.match(warnings.join(), /1 video\(s\) in _test/);
});

test('folders named after splits are remarked on', async () => {
  write('split-folders/train/wave/a.mp4');
  write('split-folders/test/wave/b.mp4');
  const { warnings } = await videosOf(join(folder, 'split-folders'));
  assert.match(warnings.join(), /"train" and "test" was taken for a class/);
});

test('CSV, JSON Lines and a list of paths give the same videos', async () => {
  const csv = write('a.csv', 'label,path,split,group\nwave,"v/a, b.mp4",test,p1\n,v/c.mp4,,\n');
  const jsonl = write(
    'a.jsonl',
    '{"path":"v/a, b.mp4","label":"wave","split":"test","group":"p1"}\n{"path":"v/c.mp4"}\n',
  );
  const wanted = [
    { id: 'v/a, b.mp4', path: join(folder, 'v/a, b.mp4'), label: 'wave', split: 'test', group: 'p1' },
    { id: 'v/c.mp4', path: join(folder, 'v/c.mp4'), label: null, split: 'train' },
  ];
  assert.deepEqual((await videosOf(csv)).videos, wanted);
  assert.deepEqual((await videosOf(jsonl)).videos, wanted);
  const list = write('a.txt', 'v/c.mp4\r\n\n/abs/d.mp4\n');
  assert.deepEqual((await videosOf(list)).videos, [wanted[1], { ...wanted[1], id: '/abs/d.mp4', path: '/abs/d.mp4' }]);
});

test('a malformed line, a repeated video and an unusable source are named', async () => {
  const cases: [name: string, text: string, code: string, message: RegExp][] = [
    ['bad.csv', 'path,split\na.mp4,train\nb.mp4,nowhere\n', 'malformed-line', /bad\.csv, line 3/],
    ['bad.jsonl', '{"path":"a"}\n{"path":[]}\n', 'malformed-line', /bad\.jsonl, line 2/],
    ['twice.txt', 'a.mp4\n\na.mp4\n', 'source-invalid', /line 3: "a\.mp4" is listed twice/],
    ['list.xyz', 'a', 'unknown-format', /list\.xyz/],
    ['empty.txt', '\n', 'source-empty', /no videos/],
  ];
  for (const [name, text, code, message] of cases) {
    const file = write(name, text);
    await assert.rejects(videosOf(file), { code, message });
  }
  await assert.rejects(videosOf(join(folder, 'nowhere')), { code: 'source-missing', message: /nowhere/ });
});

const ucf = {
  'ucfTrainTestlist/classInd.txt': '1 Jump\n2 Wave\n',
  'ucfTrainTestlist/trainlist01.txt': 'Jump/v_Jump_g08_c01.avi 1\nWave/v_Wave_g08_c01.avi 2\n',
  'ucfTrainTestlist/testlist01.txt': 'Jump/v_Jump_g01_c01.avi\n',
  'ucfTrainTestlist/trainlist02.txt': 'Jump/v_Jump_g01_c01.avi 1\n',
  'ucfTrainTestlist/testlist02.txt': 'Jump/v_Jump_g08_c01.avi\n',
  ...empty('UCF-101/Jump/v_Jump_g08_c01.avi', 'UCF-101/Wave/v_Wave_g08_c01.avi', 'UCF-101/Jump/v_Jump_g01_c01.avi'),
};

const shortly = async (source: string, reading?: SourceReading) =>
  (await videosOf(source, reading)).videos.map(({ id, label, split }) => [id, label, split]);

test('a published data set is read by its lists, not by the folders of its videos', async () => {
  const root = tree(ucf);
  const { layout, videos } = await videosOf(root);
  assert.deepEqual(layout, { format: 'ucf101', recognisedBy: 'the lists in ucfTrainTestlist/' });
  assert.deepEqual(
    videos.map(({ id, label, split, group }) => [id, label, split, group]),
    [
      ['Jump/v_Jump_g08_c01.avi', 'Jump', 'train', 'Jump/g08'],
      ['Wave/v_Wave_g08_c01.avi', 'Wave', 'train', 'Wave/g08'],
      ['Jump/v_Jump_g01_c01.avi', 'Jump', 'test', 'Jump/g01'],
    ],
  );
  assert.deepEqual(await shortly(root, { fold: 2 }), [
    ['Jump/v_Jump_g01_c01.avi', 'Jump', 'train'],
    ['Jump/v_Jump_g08_c01.avi', 'Jump', 'test'],
  ]);
});

test('what lists name and the disk lacks is kept, to be quarantined', async () => {
  const root = tree(ucf);
  rmSync(join(root, 'UCF-101', 'Wave'), { recursive: true });
  assert.deepEqual(
    (await videosOf(root)).videos.map(({ path }) => existsSync(path)),
    [true, false, true],
  );
});

test('every layout that has videos in folders is read as chronotope manifest reads it', async () => {
  const layouts: [DatasetFormat, Record<string, string>][] = [
    [
      'hmdb51',
      {
        'testTrainMulti_7030_splits/jump_test_split1.txt': 'a_1.avi 1\nb_1.avi 2\n',
        'testTrainMulti_7030_splits/wave_test_split1.txt': 'c_1.avi 1\nd_1.avi 0\n',
        ...empty('videos/jump/a_1.avi', 'videos/jump/b_1.avi', 'videos/wave/c_1.avi', 'videos/wave/d_1.avi'),
      },
    ],
    [
      'kinetics',
      {
        'train.csv': 'label,youtube_id,time_start,time_end,split\nhigh jump,AAAAAAAAAAA,5,15,train\n',
        'val.csv': 'label,youtube_id,time_start,time_end,split\nwaving,BBBBBBBBBBB,0,10,val\n',
        ...empty('train/high_jump/AAAAAAAAAAA_000005_000015.mp4', 'val/waving/BBBBBBBBBBB_000000_000010.mp4'),
      },
    ],
    [
      'something-something',
      {
        'something-something-v2-labels.json': '{"Moving something up": "0"}',
        'something-something-v2-train.json':
          '[{"id": "1", "label": "moving a cup up", "template": "Moving [something] up", "placeholders": ["a cup"]}]',
        'something-something-v2-validation.json': '[]',
        ...empty('20bn-something-something-v2/1.webm'),
      },
    ],
    [
      'jester',
      {
        'jester-v1-labels.csv': 'Swiping Left\nNo gesture\n',
        'jester-v1-train.csv': '1;Swiping Left\n',
        'jester-v1-validation.csv': '2;No gesture\n',
        ...images('20bn-jester-v1/1', 3),
        ...images('20bn-jester-v1/2', 3),
      },
    ],
    ['frame-folders', { ...images('train/jump/a', 3), ...images('test/jump/b', 3) }],
    ['image-folders', empty('train/jump/x.jpg', 'train/wave/y.jpg')],
  ];
  for (const [format, files] of layouts) {
    const root = tree(files);
    const listed = await readDataset(root);
    const { layout, videos } = await videosOf(root);
    assert.deepEqual([layout.format, listed.format], [format, format]);
    assert.deepEqual(
      videos.map(({ id, label, split, group, clip, frames }) => ({ id, label, split, group, clip, frames })),
      listed.entries.map(({ id, label, split, group, clip, frames }) => ({ id, label, split, group, clip, frames })),
    );
  }
});

test('class folders stay class folders beside a table, an archive, pictures of them or loose videos', async () => {
  const root = tree({
    'clips.csv': 'path,label\njump/1.mp4,hop\n',
    ...empty('jump/1.mp4', 'jump/1.jpg', 'wave/2.mp4', 'loose.mp4', 'copy.tar'),
  });
  const asFolders = [
    ['jump/1.mp4', 'jump', 'train'],
    ['loose.mp4', null, 'train'],
    ['wave/2.mp4', 'wave', 'train'],
  ];
  assert.deepEqual(await shortly(root), asFolders);
  assert.deepEqual(await shortly(tree(ucf), { format: 'class-folders' }), [
    ['UCF-101/Jump/v_Jump_g01_c01.avi', 'UCF-101', 'train'],
    ['UCF-101/Jump/v_Jump_g08_c01.avi', 'UCF-101', 'train'],
    ['UCF-101/Wave/v_Wave_g08_c01.avi', 'UCF-101', 'train'],
  ]);
  assert.deepEqual(await shortly(root, { format: 'csv' }), [['jump/1.mp4', 'hop', 'train']]);
  assert.equal((await videosOf(root, { groupPattern: /\/(\d)\./ })).videos[0]!.group, '1');
});

test('a layout that was named is held to; an unclear one is to be named', async () => {
  const unclear = tree({ ...images('a', 4), ...images('b', 4) });
  await assert.rejects(videosOf(unclear), { code: 'ambiguous-format', hint: /--format/ });
  assert.equal((await videosOf(unclear, { format: 'frame-folders' })).videos.length, 2);
  await assert.rejects(videosOf(unclear, { format: 'ucf101' }), { code: 'wrong-format' });
});
