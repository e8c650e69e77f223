import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FOLDERS, findViolations, importsOf } from './arrows.mjs';

const root = mkdtempSync(join(tmpdir(), 'arrows '));
after(() => rmSync(root, { recursive: true }));

/** Writes `files` (path below packages/ to source) into a repository of their own and returns what is wrong with it. */
function violationsOf(files) {
  const repository = mkdtempSync(join(root, 'repository-'));
  for (const [path, source] of Object.entries(files)) {
    const file = join(repository, 'packages', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, source);
  }
  return findViolations(repository);
}

const rulesOf = (path, source) => violationsOf({ [path]: source }).map((violation) => violation.rule);

test('imports are found with their lines, whatever their form', () => {
  const source = [
    `import a from 'a';`,
    `import type { B } from './b.js';`,
    `import {`,
    `  c,`,
    `} from 'c';`,
    `import 'd';`,
    `export * from './e.js';`,
    `export type { F } from './f.js';`,
    `const from = 'not-this';`,
    `export const text = 'not-that';`,
    `// import g from 'g'; await import('g')`,
    `/**`,
    ` * import h from 'h';`,
    ` */`,
    `const i = await import('i');`,
  ].join('\n');
  assert.deepEqual(
    importsOf(source).map(({ specifier, typeOnly, line }) => [specifier, typeOnly, line]),
    [
      ['a', false, 1],
      ['./b.js', true, 2],
      ['c', false, 3],
      ['d', false, 6],
      ['./e.js', false, 7],
      ['./f.js', true, 8],
      ['i', false, 15],
    ],
  );
});

test('a violation names file, line, rule and remedy', () => {
  const [violation, ...others] = violationsOf({
    'chronotope/src/losses/nt-xent.ts': `import { tensor } from '@chronotope/torch';\n\nimport { probe } from '@chronotope/video';\n`,
  });
  assert.deepEqual(others, []);
  assert.equal(violation.file, join('packages', 'chronotope', 'src', 'losses', 'nt-xent.ts'));
  assert.equal(violation.line, 3);
  assert.equal(violation.rule, 'losses must not import @chronotope/video.');
  assert.match(violation.advice, /losses may import @chronotope\/torch, errors, mapping, random/);
});

test('packages: torch and video know neither each other nor chronotope, not even in tests', () => {
  assert.deepEqual(rulesOf('torch/src/a.ts', `import { probe } from '@chronotope/video';`), [
    '@chronotope/torch must not know @chronotope/video.',
  ]);
  assert.deepEqual(rulesOf('video/src/a.test.ts', `import { tensor } from '@chronotope/torch';`), [
    '@chronotope/video must not know @chronotope/torch.',
  ]);
  assert.deepEqual(rulesOf('torch/src/a.ts', `import { x } from 'chronotope';`), [
    '@chronotope/torch must not know chronotope.',
  ]);
  assert.deepEqual(rulesOf('chronotope/src/data/a.test.ts', `import { x } from '../../../video/src/probe.js';`), [
    `'../../../video/src/probe.js' leaves the package chronotope.`,
  ]);
});

test('folders: what the table allows passes, what it does not name fails', () => {
  const wrong = {
    'chronotope/src/models/a.ts': [`import { x } from '../data/loader.js';`, 'models must not import data.'],
    'chronotope/src/augment/a.ts': [`import { x } from '../data/loader.js';`, 'augment must not import data.'],
    'chronotope/src/training/a.ts': [`import { x } from '../methods/a.js';`, 'training must not import methods.'],
    'chronotope/src/methods/a.ts': [
      `import { x } from '@chronotope/video';`,
      'methods must not import @chronotope/video.',
    ],
    'chronotope/src/methods/b/c.ts': [
      `import { readFile } from 'node:fs/promises';`,
      'methods must not import node:fs/promises.',
    ],
    'chronotope/src/losses/a.ts': [
      `import { spawn } from 'node:child_process';`,
      'losses must not import node:child_process.',
    ],
    'chronotope/src/evaluation/a.ts': [`export * from '../training/a.js';`, 'evaluation must not import training.'],
    'chronotope/src/recipes/a.ts': [`import { x } from '../data/manifest.js';`, 'recipes must not import data.'],
    'chronotope/src/recipes/b.ts': [`import { Command } from 'commander';`, 'recipes must not import commander.'],
    'chronotope/src/demo/a.ts': [
      `import { tensor } from '@chronotope/torch';`,
      'demo must not import @chronotope/torch.',
    ],
    'chronotope/src/data/a.ts': [`import { golden } from '../testing/golden.js';`, 'data imports testing.'],
    'chronotope/src/index.ts': [`export * from './cli/program.js';`, 'index imports cli.'],
    'chronotope/src/data/b.test.ts': [`import { program } from '../cli/program.js';`, 'data imports cli.'],
    'kitchen/src/a.ts': [`import 'node:fs';`, 'The package kitchen has no row in the table of arrows.'],
    'chronotope/src/kitchen/a.ts': [`import { x } from './b.js';`, 'kitchen has no row in the table of arrows.'],
  };
  for (const [path, [source, rule]] of Object.entries(wrong)) assert.deepEqual(rulesOf(path, source), [rule]);

  const right = {
    'chronotope/src/models/a.ts': `import { nn } from '@chronotope/torch';\nimport { UserError } from '../errors.js';`,
    'chronotope/src/augment/a.ts': `import { draw } from '../random.js';`,
    'chronotope/src/methods/a.ts': `import type { Clip } from '../data/clip.js';\nimport { x } from '../losses/a.js';`,
    'chronotope/src/recipes/a.ts': `import { z } from 'zod';\nimport type { Method } from '../methods/method.js';`,
    'chronotope/src/cli/a.ts': `import { x } from '../methods/a.js';\nimport { y } from './b.js';`,
    'chronotope/src/models/a.test.ts': `import { readFileSync } from 'node:fs';\nimport { golden } from '../testing/golden.js';`,
    'chronotope/src/version.test.ts': `import manifest from '../package.json';`,
  };
  assert.deepEqual(violationsOf(right), []);
});

test('a folder whose types alone are allowed is pointed to import type', () => {
  const [violation] = violationsOf({ 'chronotope/src/methods/a.ts': `import { load } from '../recipes/load.js';` });
  assert.match(violation.advice, /use 'import type'/);
});

test('the table itself has no circle', () => {
  const folders = Object.keys(FOLDERS);
  const reach = (from, path) => {
    assert.ok(!path.includes(from), `circle: ${[...path, from].join(' > ')}`);
    for (const to of FOLDERS[from].imports) if (folders.includes(to)) reach(to, [...path, from]);
  };
  for (const folder of folders) reach(folder, []);
});

test('the command exits 1 and prints the violation to stderr, and exits 0 on a clean repository', () => {
  const repository = mkdtempSync(join(root, 'command-'));
  const losses = join(repository, 'packages', 'chronotope', 'src', 'losses');
  mkdirSync(losses, { recursive: true });
  const check = () => {
    const script = fileURLToPath(new URL('../check-arrows.mjs', import.meta.url));
    return spawnSync(process.execPath, [script, repository], { encoding: 'utf8' });
  };
  assert.equal(check().status, 0);

  writeFileSync(join(losses, 'a.ts'), `import { x } from '../methods/a.js';\n`);
  const { status, stderr } = check();
  assert.equal(status, 1);
  assert.match(stderr, /a\.ts:1: losses must not import methods\.\n {4}losses may import/);
});
