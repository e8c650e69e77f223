import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { goldenPath } from '../testing/golden-files.js';

const DOCS = new URL('../../../../docs/checkpoints.md', import.meta.url);
const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));

test('the examples of docs/checkpoints.md run one after the other and print what they say', () => {
  const folder = mkdtempSync(join(tmpdir(), 'docs-'));
  try {
    copyFileSync(goldenPath('io/checkpoint-4.pth'), join(folder, 'from-pytorch.pth'));
    const blocks = [...readFileSync(DOCS, 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);
    const output = run(folder, blocks);
    assert.equal(output.length, 5);
    assert.match(output[0]!, /^pth\ntensor\(\[\[.*left out: args \(argparse\.Namespace\)/s);
    assert.match(output[1]!, /^7\nargparse\.Namespace Map\(2\) \{ 'lr' => 0\.1/);
    assert.equal(output[2], '');
    assert.match(output[3]!, /'0\.weight'.*\{ shape: \[ 3, 2 \], dtype: 'float32', type: 'F32' \}/s);
    assert.match(output[4]!, /^\[ 2, 3 \]\n/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const SEPARATOR = '-- next block --';

/** What each block of code prints, run in `folder` by one process, since loading libtorch takes a while. */
function run(folder: string, blocks: readonly string[]): string[] {
  const names = new Set(blocks.flatMap((code) => /^import \{ (.*) \} from/m.exec(code)![1]!.split(', ')));
  const bodies = blocks.map(
    // The assertion is the only TypeScript in them that Node cannot run.
    (code) => `{\n${code.replaceAll(/^import .*$/gm, '').replaceAll(' as Map<string, unknown>', '')}}`,
  );
  const program = `import { ${[...names].join(', ')} } from '@chronotope/torch';
process.chdir(${JSON.stringify(folder)});
${bodies.join(`\nconsole.log(${JSON.stringify(SEPARATOR)});\n`)}`;
  const options = { cwd: PACKAGE, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], options);
  assert.equal(status, 0, stderr);
  return stdout.split(`${SEPARATOR}\n`);
}
