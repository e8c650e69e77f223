import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { allSettings, loadRecipe, METHOD_NAMES } from 'chronotope';
import { recipeReference, tablesOf } from './recipe-reference.mjs';

const page = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');

test('docs/recipes.md is what the schemas and the shipped recipes say now', () => {
  const stale = 'settings or recipes have changed since docs/recipes.md was written: run npm run docs:recipes';
  assert.ok(page === recipeReference(), stale);
});

test('every setting of every method stands in one table, under its key', () => {
  for (const method of METHOD_NAMES) {
    const keys = tablesOf(allSettings(method)).flatMap(({ places, rows }) =>
      rows
        .filter(({ values }) => values !== undefined)
        .flatMap(({ name }) => (places.length === 0 ? [name] : places.map(({ key }) => `${key}.${name}`))),
    );
    const settings = allSettings(method).filter(({ values }) => values !== undefined);
    assert.deepEqual(keys.toSorted(), settings.map(({ key }) => key).toSorted());
  }
});

test('large groups that are alike share a table, small and differing ones stay in that of their group', () => {
  const setting = (key, values = 'number') => ({ key, values, description: `what ${key.split('.').at(-1)} is` });
  const group = (key) => ({ key, description: '' });
  const large = (key) => [group(key), ...[...'abcdef'].map((name) => setting(`${key}.${name}`))];
  const small = (key) => [group(key), setting(`${key}.a`), setting(`${key}.b`)];
  const tables = tablesOf([
    setting('seed'),
    ...[group('one'), setting('one.x'), ...small('one.small'), ...large('one.large')],
    ...[
      group('two'),
      ...small('two.small'),
      ...large('two.large'),
      ...large('two.other').slice(0, -1),
      setting('two.other.g'),
    ],
    ...large('three'),
  ]);
  assert.deepEqual(
    tables.map(({ places, rows }) => [places.map(({ key }) => key).join(' '), rows.map(({ name }) => name).join(' ')]),
    [
      ['', 'seed'],
      ['one', 'x small small.a small.b'],
      ['one.large two.large three', 'a b c d e f'],
      ['two', 'small small.a small.b other other.a other.b other.c other.d other.e other.g'],
    ],
  );
});

test('a bar in the values of a setting does not end its cell', () => {
  assert.match(page, /^\| `student\.mixing` \|.*\| probabilities \\\| logits; .*\|$/m);
});

test('the examples of the introduction are valid', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'recipes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const own = join(folder, 'own.yaml');
  writeFileSync(own, /```yaml\n(.*?)```/s.exec(page)[1]);
  assert.equal(loadRecipe(own).student.steps, 400);
  const overrides = [...page.matchAll(/--set ([\w.]+=)(?:'([^']+)'|(\S+))/g)].map(
    ([, key, quoted, plain]) => key + (quoted ?? plain),
  );
  assert.deepEqual(loadRecipe('timebalance-small', overrides).student.augment.crop, [0.8, 1]);
});
