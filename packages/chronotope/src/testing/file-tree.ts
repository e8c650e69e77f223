import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after } from 'node:test';

/** Makes folders with files in them for the tests of one file, and removes them at the end. */
export function fileTrees(): (files: Readonly<Record<string, string | Buffer>>) => string {
  const scratch = mkdtempSync(join(tmpdir(), 'chronotope-trees-'));
  after(() => rmSync(scratch, { recursive: true }));
  let made = 0;
  return (files) => {
    const root = join(scratch, `tree ${made++}`);
    mkdirSync(root);
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), content);
    }
    return root;
  };
}

/** Empty files of these names, to be spread into a tree. */
export function empty(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, '']));
}

/** Names of `count` images with numbers of `width` digits from `first` on, empty. */
export function images(folder: string, count: number, { first = 1, width = 5 } = {}): Record<string, string> {
  return empty(...Array.from({ length: count }, (_, k) => `${folder}/${String(first + k).padStart(width, '0')}.jpg`));
}
