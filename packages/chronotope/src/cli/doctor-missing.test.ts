import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Finding } from '../doctor/finding.js';

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url));
const LIBRARIES = join(PACKAGES, '..', 'node_modules');

describe('doctor on a machine that lacks something', () => {
  let modules = '';

  /** An installation whose addon has not been built: copies of the program, links to the libraries it uses. */
  before(() => {
    modules = join(mkdtempSync(join(tmpdir(), 'chronotope-doctor-')), 'node_modules');
    mkdirSync(join(modules, '@chronotope'), { recursive: true });
    for (const [from, to] of [
      ['torch', '@chronotope/torch'],
      ['chronotope', 'chronotope'],
    ] as const) {
      for (const part of ['package.json', 'dist', 'bin']) {
        cpSync(join(PACKAGES, from, part), join(modules, to, part), { recursive: true });
      }
    }
    for (const part of ['recipes', 'concepts', 'vocabulary']) {
      cpSync(join(PACKAGES, 'chronotope', part), join(modules, 'chronotope', part), { recursive: true });
    }
    symlinkSync(join(PACKAGES, 'video'), join(modules, '@chronotope', 'video'));
    for (const name of readdirSync(LIBRARIES)) {
      if (!name.startsWith('.') && !name.startsWith('@') && name !== 'chronotope') {
        symlinkSync(join(LIBRARIES, name), join(modules, name));
      }
    }
  });
  after(() => rmSync(join(modules, '..'), { recursive: true, force: true }));

  function doctor(env: Record<string, string> = {}): { status: number | null; findings: Map<string, Finding> } {
    const bin = join(modules, 'chronotope', 'bin', 'chronotope.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'doctor', '--json', '--no-speed'], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    assert.equal(stderr, '');
    return { status, findings: new Map((JSON.parse(stdout) as Finding[]).map((finding) => [finding.name, finding])) };
  }

  test('without a built addon, and without FFmpeg: exit code 1, and what mends each', () => {
    const { status, findings } = doctor({ CHRONOTOPE_FFMPEG: join(modules, 'no-ffmpeg') });
    assert.equal(status, 1);
    const libtorch = findings.get('libtorch')!;
    assert.equal(libtorch.status, 'missing');
    assert.match(libtorch.detail, /not built/);
    assert.match(libtorch.fix!, /npm run setup/);
    assert.equal(findings.get('FFmpeg')!.status, 'missing');
    assert.match(findings.get('FFmpeg')!.fix!, /install/i);
    assert.equal(findings.get('Node')!.status, 'ok');
    assert.ok(!findings.has('BLAS') && !findings.has('Decoders'));
  });

  test('with an addon that cannot be loaded, as after libtorch was removed', () => {
    const folder = join(modules, '@chronotope', 'torch', 'build', 'Release');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'chronotope_torch.node'), 'not a library');
    const { status, findings } = doctor();
    assert.equal(status, 1);
    assert.equal(findings.get('libtorch')!.status, 'missing');
    assert.match(findings.get('libtorch')!.detail, /could not be loaded/);
    assert.equal(findings.get('FFmpeg')!.status, 'ok');
  });
});
