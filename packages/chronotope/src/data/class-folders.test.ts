import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { readClassFolders } from './class-folders.js';

const scratch = mkdtempSync(join(tmpdir(), 'chronotope-folders-'));
after(() => rmSync(scratch, { recursive: true }));

let made = 0;

/** A new folder with these files (or, with a trailing slash, folders) in it. */
function folderWith(...paths: string[]): string {
  const root = join(scratch, `data ${made++}`);
  mkdirSync(root);
  for (const path of paths) {
    mkdirSync(join(root, path.endsWith('/') ? path : dirname(path)), { recursive: true });
    if (!path.endsWith('/')) {
      writeFileSync(join(root, path), '');
    }
  }
  return root;
}

test('reads classes, unlabelled and test videos; sorted, with nested folders, spaces and other scripts', () => {
  const root = folderWith(
    'wave/b.mp4',
    'wave/a c.MOV',
    'wave/day 1/x.webm',
    '점프/1.mp4',
    '_unlabelled/deep/er/u.avi',
    '_unlabeled/v.mkv',
    '_test/점프/t.mp4',
  );
  const { entries, classes, ignored, warnings } = readClassFolders(root);
  assert.deepEqual(classes, ['wave', '점프']);
  assert.deepEqual(
    entries.map(({ id, label, split }) => [id, label, split]),
    [
      ['wave/a c.MOV', 'wave', 'train'],
      ['wave/b.mp4', 'wave', 'train'],
      ['wave/day 1/x.webm', 'wave', 'train'],
      ['점프/1.mp4', '점프', 'train'],
      ['_unlabeled/v.mkv', null, 'train'],
      ['_unlabelled/deep/er/u.avi', null, 'train'],
      ['_test/점프/t.mp4', '점프', 'test'],
    ],
  );
  assert.equal(entries[0]!.path, join(root, 'wave', 'a c.MOV'));
  assert.deepEqual([ignored, warnings], [[], []]);
});

test('hidden files are passed over, other files are listed, stray videos and unknown reserved folders are remarked on', () => {
  const root = folderWith(
    'a/1.mp4',
    'b/1.mp4',
    'a/.hidden.mp4',
    '.git/x.mp4',
    'a/notes.txt',
    'README.md',
    '_test/list.csv',
    'stray.mp4',
    '_test/stray.mp4',
    '_old/1.mp4',
  );
  const { entries, ignored, warnings } = readClassFolders(root);
  assert.deepEqual(
    entries.map(({ id }) => id),
    ['a/1.mp4', 'b/1.mp4'],
  );
  assert.deepEqual(ignored, ['README.md', '_test/list.csv', 'a/notes.txt']);
  assert.equal(warnings.length, 3);
  assert.match(warnings.join('\n'), /1 video directly in .*stray\.mp4/);
  assert.match(warnings.join('\n'), /"_old"/);
  assert.match(warnings.join('\n'), /_test: 1 video/);
});

test('symbolic links are followed once: a loop ends, a link to nothing stays visible as a file', () => {
  const root = folderWith('a/1.mp4', 'b/1.mp4');
  const elsewhere = folderWith('c/2.mp4');
  symlinkSync(join(elsewhere, 'c'), join(root, 'a', 'more'));
  symlinkSync(root, join(root, 'b', 'loop'));
  symlinkSync(join(root, 'b'), join(root, 'b', 'self'));
  symlinkSync('nowhere.mp4', join(root, 'b', 'broken.mp4'));
  symlinkSync('tail.mp4', join(root, 'b', 'tail.mp4'));
  const ids = readClassFolders(root).entries.map(({ id }) => id);
  assert.deepEqual(
    ids.filter((id) => !id.includes('loop')),
    ['a/1.mp4', 'a/more/2.mp4', 'b/1.mp4', 'b/broken.mp4', 'b/tail.mp4'],
  );
});

test('every way of having no data set is an error of its own', () => {
  const failures: [paths: string[], code: string, message: RegExp][] = [
    [[], 'folder-empty', /is empty/],
    [['a/', 'b/'], 'no-videos', /no videos/],
    [['1.mp4', '2.mp4'], 'no-videos', /2 videos directly in it/],
    [['_unlabelled/1.mp4'], 'no-classes', /no class folders/],
    [['a/1.mp4'], 'one-class', /"a"/],
    [['a/1.mp4', 'b/notes.txt'], 'class-without-videos', /"b"/],
    [['a/1.mp4', 'b/1.mp4', '_test/c/1.mp4'], 'unknown-test-class', /"c"/],
  ];
  for (const [paths, code, message] of failures) {
    assert.throws(() => readClassFolders(folderWith(...paths)), { name: 'ChronotopeError', code, message });
  }
  assert.throws(() => readClassFolders(join(scratch, 'nowhere')), { code: 'folder-missing', message: /nowhere/ });
  const file = join(folderWith('file.mp4'), 'file.mp4');
  assert.throws(() => readClassFolders(file), { code: 'folder-missing', message: /is a file/ });
});
