import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { videosOf } from './source.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-source-'));
after(() => rmSync(folder, { recursive: true }));

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
