// Fails when an exported function or class has no doc comment: the API reference (npm run docs) is made of them.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { undocumentedExports } from './lib/doc-comments.mjs';
import { sourceFiles } from './lib/source-files.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = sourceFiles(`${root}packages`, ['.ts']).filter((path) => !path.includes('.test.'));

let missing = 0;
for (const path of sources) {
  for (const { name, line } of undocumentedExports(readFileSync(path, 'utf8'))) {
    missing += 1;
    console.error(
      `${relative(root, path)}:${line}: ${name} has no doc comment. Say what it does, in which units and shapes.`,
    );
  }
}
process.exitCode = missing === 0 ? 0 : 1;
