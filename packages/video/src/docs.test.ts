import assert from 'node:assert/strict';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { temporaryFolder } from './fixtures.test.helper.js';

const page = new URL('../../../docs/video.md', import.meta.url);
const packageFolder = fileURLToPath(new URL('..', import.meta.url));

test('the examples of docs/video.md run and print what they say', async (t) => {
  const folder = await temporaryFolder(t);
  await mkdir(join(folder, 'node_modules/@chronotope'), { recursive: true });
  await symlink(packageFolder, join(folder, 'node_modules/@chronotope/video'), 'junction');
  const before = process.cwd();
  t.after(() => process.chdir(before));
  process.chdir(folder);
  const printed: string[] = [];
  t.mock.method(console, 'log', (...values: unknown[]) => printed.push(values.join(' ')));

  const examples = [...(await readFile(page, 'utf8')).matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code!);
  assert.ok(examples.length >= 6);
  for (const [i, code] of examples.entries()) {
    const file = join(folder, `example-${i}.mjs`);
    await writeFile(file, code);
    await import(pathToFileURL(file).href);
    const promised = [...code.matchAll(/^\/\/ prints (.*)$/gm)].map(([, line]) => line);
    assert.deepEqual(printed.splice(0), promised, code);
  }
});
