import assert from 'node:assert/strict';
import { test } from 'node:test';
import { undocumentedExports } from './doc-comments.mjs';

test('functions and classes without a doc comment are found with their lines', () => {
  const source = [
    '/** Said. */',
    'export function said() {}',
    'export async function unsaid() {}',
    '// A remark is no doc comment.',
    'export class Remark {}',
    '/* Nor is this. */',
    'export function* plain() {}',
    '/** Too far away. */',
    '',
    'export abstract class Far {}',
    'function inner() {}',
  ].join('\n');
  assert.deepEqual(undocumentedExports(source), [
    { name: 'unsaid', line: 3 },
    { name: 'Remark', line: 5 },
    { name: 'plain', line: 7 },
    { name: 'Far', line: 10 },
  ]);
});

test('one comment serves all overloads, and a remark to Biome may stand below it', () => {
  const source = [
    '/**',
    ' * Both.',
    ' */',
    'export function both(x: number): void;',
    'export function both(x: string): void;',
    'export function both() {}',
    '/** Exempted from a rule. */',
    '// biome-ignore lint/rule: reason',
    'export class Exempt {}',
  ].join('\n');
  assert.deepEqual(undocumentedExports(source), []);
});
