import assert from 'node:assert/strict';
import { test } from 'node:test';
import { empty, fileTrees } from '../testing/file-tree.js';
import { readClassFolders } from './class-folders.js';

const tree = fileTrees();
const videos = empty('jump/a.mp4', 'run/b.mp4', '_unlabelled/c.mp4', '_test/run/d.mp4');
const captions = (...lines: object[]) => ({ 'captions.jsonl': lines.map((line) => JSON.stringify(line)).join('\n') });

test('sentences beside class folders become the text of their videos; the file is no stray one', () => {
  const root = tree({
    ...videos,
    ...captions(
      { path: 'jump/a.mp4', text: ' Somebody jumps. ' },
      { path: '_test/run/d.mp4', text: 'Läufer im Regen' },
      { path: 'gone.mp4', text: 'of a video that is not here' },
    ),
  });
  const { entries, ignored } = readClassFolders(root);
  assert.deepEqual(
    entries.map(({ id, text }) => [id, text]),
    [
      ['jump/a.mp4', 'Somebody jumps.'],
      ['run/b.mp4', undefined],
      ['_unlabelled/c.mp4', undefined],
      ['_test/run/d.mp4', 'Läufer im Regen'],
    ],
  );
  assert.deepEqual(ignored, []);
});

test('lines that are wrong are named', () => {
  const good = { path: 'jump/a.mp4', text: 'Somebody jumps.' };
  const cases: [object[], RegExp][] = [
    [[good, { path: 'run/b.mp4' }], /line 2: "text" must be a sentence/],
    [[{ path: 'run/b.mp4', text: '  ' }], /line 1: "text" must not be empty/],
    [[good, good], /line 2: "jump\/a.mp4" has a caption already/],
  ];
  for (const [lines, message] of cases) {
    assert.throws(() => readClassFolders(tree({ ...videos, ...captions(...lines) })), {
      code: 'captions-invalid',
      message,
    });
  }
});
