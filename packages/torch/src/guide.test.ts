import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
// Inside the package, so that the programs find it by its name.
const FOLDER = fileURLToPath(new URL('./guide-programs', import.meta.url));
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** The TypeScript programs of the guide, each with the text that follows it as what it prints. */
function readPrograms(): { title: string; code: string; printed: string }[] {
  const guide = readFileSync(join(ROOT, 'docs/torch-guide.md'), 'utf8');
  const sections = guide.matchAll(
    /^## \d+\. (?<title>.*)$[\s\S]*?^```ts\n(?<code>[\s\S]*?)^```\n\n```text\n(?<printed>[\s\S]*?)^```$/gm,
  );
  return [...sections].map(({ groups }) => ({
    title: groups!.title!,
    code: groups!.code!,
    printed: groups!.printed!,
  }));
}

const programs = readPrograms();
const fileOf = (index: number) => `program-${index + 1}`;
let outputs: string[] = [];

before(() => {
  mkdirSync(FOLDER, { recursive: true });
  for (const [index, { code }] of programs.entries()) {
    writeFileSync(join(FOLDER, `${fileOf(index)}.ts`), code);
  }
  const settings = { extends: join(ROOT, 'tsconfig.base.json'), compilerOptions: { composite: false } };
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify({ ...settings, include: ['*.ts'] }));
  execFileSync(process.execPath, [TSC, '-p', FOLDER], { stdio: 'inherit' });
  // One process for all, because loading libtorch takes longer than the programs.
  const imports = programs.map((_, index) => `console.log('----'); await import('./${fileOf(index)}.js');`);
  writeFileSync(join(FOLDER, 'all.mjs'), imports.join('\n'));
  const printed = execFileSync(process.execPath, [join(FOLDER, 'all.mjs')], { encoding: 'utf8' });
  outputs = printed.split('----\n').slice(1);
});

after(() => rmSync(FOLDER, { recursive: true, force: true }));

test('the guide has five programs', () => {
  assert.equal(programs.length, 5);
});

for (const [index, { title, printed }] of programs.entries()) {
  test(`the guide's program about ${title.toLowerCase()} prints what the guide says`, () => {
    assert.equal(outputs[index], printed);
  });
}
