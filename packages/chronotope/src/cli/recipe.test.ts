import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { loadRecipe } from '../recipes/load.js';
import { recipeCommand } from './recipe.js';

async function recipe(...args: string[]): Promise<string> {
  const written: string[] = [];
  const command = recipeCommand();
  for (const child of command.commands) child.configureOutput({ writeOut: (text) => written.push(text) });
  await command.parseAsync(args, { from: 'user' });
  return written.join('');
}

test('list names the shipped recipes with what they are for', async () => {
  assert.match(await recipe('list'), /^timebalance-small\n {4}The default/m);
  const rows = JSON.parse(await recipe('list', '--json')) as { name: string }[];
  assert.ok(rows.some(({ name }) => name === 'timebalance-demo'));
});

test('show prints a recipe that can be read again, with the settings that were changed', async () => {
  const shown = await recipe('show', 'timebalance-small', '--set', 'student.steps=7');
  const expected = loadRecipe('timebalance-small', ['student.steps=7']);
  assert.deepEqual(parse(shown), expected);
  assert.deepEqual(
    JSON.parse(await recipe('show', 'timebalance-small', '--set', 'student.steps=7', '--json')),
    expected,
  );
});

test('explain says meaning and values, of one setting, a group or all groups', async () => {
  assert.equal(
    await recipe('explain', 'similarity.clips'),
    'similarity.clips: whole number, 2 or more\n    clips of a video that are compared\n',
  );
  const groups = await recipe('explain');
  assert.match(groups, /^student\n/m);
  assert.doesNotMatch(groups, /student\.steps/);
  assert.ok((JSON.parse(await recipe('explain', '--json')) as unknown[]).length > 100);
});

test('validate passes what is valid and throws what is not', async () => {
  assert.equal(await recipe('validate', 'timebalance-demo'), 'timebalance-demo is valid.\n');
  await assert.rejects(recipe('validate', 'timebalance-demo', '--set', 'clips.globalStride=5'), {
    code: 'recipe-invalid',
  });
});
