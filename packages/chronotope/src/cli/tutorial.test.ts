import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatRecipe } from '../recipes/load.js';
import { tinyRecipe } from '../testing/tiny-videos.js';
import { writeFilm } from '../testing/write-film.js';

const PAGE = fileURLToPath(new URL('../../../../docs/tutorial.md', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));

/** The sections of the page that have commands: title, and commands as they stand there. */
const sections = [
  ...readFileSync(PAGE, 'utf8').matchAll(/^## (?<title>.*)$(?:(?!^## )[\s\S])*?^```sh\n(?<commands>[\s\S]*?)^```$/gm),
].map(({ groups }) => ({ title: groups!.title!, commands: groups!.commands! }));

/** What a section leaves behind. */
const LEAVES: Record<string, string[]> = {
  2: ['videos.index/manifest.jsonl'],
  3: ['views.html'],
  4: ['mine.yaml'],
  5: ['runs/first/evaluation.json'],
  6: ['runs/first/report.html', 'answer.json'],
  7: ['runs/second/evaluation.json'],
  8: ['runs/worth/comparison.html'],
  9: ['student.safetensors'],
};

describe('docs/tutorial.md', () => {
  let root = '';
  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope-tutorial-'));
    // `npx chronotope` of this checkout, wherever the commands are run.
    mkdirSync(path.join(root, 'bin'));
    writeFileSync(path.join(root, 'bin/npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`, {
      mode: 0o755,
    });
    const films = [
      'serve/s1',
      'serve/s2',
      '_unlabelled/u1',
      '_test/serve/t1',
      'volley/v1',
      'volley/v2',
      '_unlabelled/u2',
    ];
    for (const [k, name] of [...films, '_test/volley/t2'].entries()) {
      await writeFilm(path.join(root, 'videos', `${name}.mp4`), k < 4, k);
    }
    await writeFilm(path.join(root, 'new.mp4'), true, 9);
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('has commands in the sections that this test knows', () => {
    assert.deepEqual(
      sections.map(({ title }) => title[0]),
      Object.keys(LEAVES),
    );
  });

  for (const { title, commands } of sections) {
    test(`${title}: the commands run as they stand there`, () => {
      const env = { ...process.env, PATH: `${path.join(root, 'bin')}${path.delimiter}${process.env.PATH}` };
      execFileSync('bash', ['-euc', commands], { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] });
      for (const file of LEAVES[title[0]!]!) assert.ok(existsSync(path.join(root, file)), file);
      // The reader may change the settings here, and the test makes everything small.
      if (title.startsWith('4')) writeFileSync(path.join(root, 'mine.yaml'), formatRecipe(tinyRecipe()));
    });
  }

  test('the answer names a class', () => {
    const [answer] = JSON.parse(readFileSync(path.join(root, 'answer.json'), 'utf8')) as {
      classes: { name: string }[];
    }[];
    assert.ok(['serve', 'volley'].includes(answer!.classes[0]!.name));
  });
});
