import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readManifest } from '../data/manifest.js';
import { readSplit } from '../data/splits/dataset-split.js';
import { empty, fileTrees } from '../testing/file-tree.js';

const BIN = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));
const tree = fileTrees();

function chronotope(...args: string[]) {
  return spawnSync(process.execPath, [BIN, ...args], { encoding: 'utf8' });
}

test('from a folder to a manifest, a split of it, and the check for leaks', () => {
  const persons = [1, 2, 3, 4, 5, 6];
  const root = tree(
    empty(
      ...persons.flatMap((p) => ['jump', 'wave'].flatMap((name) => [`${name}/p${p}_1.mp4`, `${name}/p${p}_2.mp4`])),
    ),
  );
  const out = tree({});
  const [list, split] = [join(out, 'list.jsonl'), join(out, 'split.jsonl')];

  const listed = chronotope('manifest', root, '--out', list, '--group-pattern', '(p\\d)_');
  assert.equal(listed.status, 0, listed.stderr);
  assert.match(listed.stderr, /format: class-folders, recognised by videos in the folder jump\//);
  assert.match(listed.stdout, /train +│ 24 +│ 0 +│ 2/);
  assert.equal(readManifest(list)[0]!.group, 'p1');

  const made = chronotope('split', list, '--test', '0.33', '--per-class', '2', '--spread', '--out', split, '--json');
  assert.equal(made.status, 0, made.stderr);
  const { parts, leaks, hash } = JSON.parse(made.stdout);
  assert.deepEqual(parts, [
    { part: 'train', labelled: 4, unlabelled: 12, classes: 2 },
    { part: 'test', labelled: 8, unlabelled: 0, classes: 2 },
  ]);
  assert.deepEqual(leaks, []);
  assert.ok(readFileSync(split, 'utf8').startsWith('{"kind":"chronotope-split"') && made.stderr.includes(hash));
  assert.equal(readSplit(split).items.length, 24);

  const applied = join(out, 'applied.jsonl');
  assert.equal(chronotope('manifest', list, '--split', split, '--out', applied).status, 0);
  assert.equal(readManifest(applied).filter(({ split }) => split === 'test').length, 8);

  // Empty files all have the same content, so comparing contents must find it.
  assert.equal(chronotope('leaks', list, '--split', split).status, 0);
  const found = chronotope('leaks', list, '--split', split, '--content');
  assert.equal(found.status, 1);
  assert.match(found.stdout, /leak: files with the same content in train and test/);
});

test('mistakes are explained: an ambiguous folder, an impossible request, a bad option', () => {
  const root = tree({ 'clips.csv': 'path,label\na/1.mp4,a\n', ...empty('a/1.mp4', 'b/2.mp4') });
  const out = join(tree({}), 'x.jsonl');
  const cases: [string[], number, RegExp][] = [
    [
      ['manifest', root, '--out', out],
      1,
      /csv \(the table clips\.csv\) or class-folders .*\nName the format with --format/,
    ],
    [['split', root, '--format', 'csv', '--out', out], 1, /neither parts to cut nor labels to draw/],
    [['split', root, '--test', '2', '--out', out], 2, /share between 0 and 1/],
    [['manifest', root, '--group-pattern', 'p\\d', '--out', out], 2, /pair of parentheses/],
  ];
  for (const [args, status, message] of cases) {
    const result = chronotope(...args);
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stderr, message);
    assert.doesNotMatch(result.stderr, /\n {4}at /);
  }
});
