import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FOLDERS, FOR_EVERYONE } from './arrows.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');

const words = (names) => names.map((name) => name.replace('@chronotope/', '').replace('*', 'everything')).join(', ');

test('docs/architecture.md has a row for every folder, with the arrows that are checked', () => {
  const sources = join(root, 'packages', 'chronotope', 'src');
  const onDisk = Object.keys(FOLDERS).filter((name) =>
    [name, `${name}.ts`].some((path) => existsSync(join(sources, path))),
  );
  for (const folder of onDisk.filter((name) => !FOR_EVERYONE.includes(name))) {
    const { imports, types = [] } = FOLDERS[folder];
    const mayImport = `${words(imports) || 'none'}${types.length > 0 ? `; types of ${words(types)}` : ''}`;
    const row = new RegExp(`^\\| \`${folder}\` \\| .+ \\| (.*) \\|$`, 'm').exec(page);
    assert.ok(row, `Add a row: | \`${folder}\` | what is in it | ${mayImport} |`);
    assert.equal(row[1], mayImport, `the row of ${folder}`);
  }
});
