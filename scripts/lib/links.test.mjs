import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brokenLinks } from './links.mjs';
import { sourceFiles } from './source-files.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const generated = join(root, 'docs', 'api');
const pages = sourceFiles(root, ['.md']).filter((path) => !path.startsWith(generated));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('a link to a missing file or heading is found; examples in code are no links', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'links-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const page = join(folder, 'page.md');
  writeFileSync(join(folder, 'other.md'), '# Exit codes & more\n');
  writeFileSync(
    page,
    [
      '# Top',
      '[good](other.md) [good](other.md#exit-codes--more) [good](#top) [web](https://example.org/x)',
      '[bad](gone.md) [bad](other.md#nothing) [bad](#bottom)',
      '`[code](gone.md)`',
      '```',
      '[code](gone.md)',
      '```',
    ].join('\n'),
  );
  assert.deepEqual(brokenLinks(page), ['gone.md', 'other.md#nothing', '#bottom']);
});

test('every relative link of the documentation leads somewhere', () => {
  const broken = pages.flatMap((page) => brokenLinks(page).map((target) => `${relative(root, page)}: ${target}`));
  assert.deepEqual(broken, []);
});

test('the README leads to every page of docs', () => {
  const docs = pages.map((page) => relative(root, page)).filter((page) => /^docs\/[^/]+\.md$/.test(page));
  assert.deepEqual(
    docs.filter((page) => !readme.includes(`(${page})`)),
    [],
  );
});
