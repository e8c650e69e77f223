import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createProgram } from './main.js';

const BIN = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));

function chronotope(args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

describe('the command line', () => {
  let root = '';
  before(() => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope-cli-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  /** Makes empty files below a new folder and returns it. */
  function folder(name: string, ...files: string[]): string {
    const made = path.join(root, name);
    mkdirSync(made);
    for (const file of files) {
      mkdirSync(path.dirname(path.join(made, file)), { recursive: true });
      writeFileSync(path.join(made, file), '');
    }
    return made;
  }

  const train = (data: string, env?: Record<string, string>) =>
    chronotope(['train', 'timebalance', '--data', data, '--out', path.join(root, 'run')], env);

  test('helps, and suggests the command that was meant', () => {
    const help = chronotope(['--help']);
    assert.equal(help.status, 0);
    for (const command of ['index', 'train', 'evaluate', 'predict', 'demo-data', 'demo', 'doctor']) {
      assert.match(help.stdout, new RegExp(`^ {2}${command}\\b`, 'm'));
    }
    const typo = chronotope(['trian']);
    assert.equal(typo.status, 2);
    assert.match(typo.stderr, /Did you mean train/);
    const option = chronotope(['doctor', '--jsn']);
    assert.equal(option.status, 2);
    assert.match(option.stderr, /Did you mean --json/);
    const deeper = chronotope(['recipe', 'shw']);
    assert.equal(deeper.status, 2);
    assert.match(deeper.stderr, /Did you mean show/);
  });

  test('an option that another would silence is refused', () => {
    for (const [args, pair] of [
      [
        ['zero-shot', 'm', 'd', '--captions', '--concepts', 'demo'],
        /'--captions' cannot be used with option '--concepts/,
      ],
      [
        ['label', 'd', '--model', 'm', '--out', 'o', '--words', 'a,b', '--concepts', 'demo'],
        /'--words <names>' cannot be used with option '--concepts/,
      ],
      [
        ['evaluate', 'run', '--protocol', 'fine-tune', '--epochs', '2', '--steps', '5'],
        /'--steps <n>' cannot be used with option '--epochs/,
      ],
    ] as const) {
      const { status, stderr } = chronotope([...args]);
      assert.equal(status, 2);
      assert.match(stderr, pair);
    }
  });

  test('a reader who has seen enough ends it without a word', () => {
    const { stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${BIN}" recipe list | head -n 1`], {
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
  });

  test('docs/command-line.md has a row for every command', () => {
    const page = readFileSync(new URL('../../../../docs/command-line.md', import.meta.url), 'utf8');
    for (const command of createProgram().commands) {
      assert.match(page, new RegExp(String.raw`^\| .chronotope ${command.name()}[ \x60]`, 'm'), command.name());
    }
  });

  test('every mistake with the data is one clear error, exit code 1, no stack', () => {
    const cases: [string, RegExp][] = [
      [path.join(root, 'nowhere'), /does not exist/],
      [folder('empty'), /empty|no videos/],
      [folder('one', 'only/a.mp4'), /only|two classes|one class/],
      [folder('hollow', 'a/a.mp4', 'b/readme.txt'), /b/],
      [folder('broken', 'a/a.mp4', 'b/b.mp4'), /none of the videos can be decoded/],
    ];
    for (const [data, message] of cases) {
      const { status, stderr } = train(data);
      assert.equal(status, 1, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n {4}at /);
      rmSync(path.join(root, 'run'), { recursive: true, force: true });
    }
  });

  test('--resume wants a run that has begun', () => {
    const arguments_ = ['train', 'timebalance', '--data', root, '--out', path.join(root, 'never'), '--resume'];
    const { status, stderr } = chronotope(arguments_);
    assert.equal(status, 1);
    assert.match(stderr, /never is not a run folder/);
  });

  test('a missing FFmpeg is named with the way to install it', () => {
    const data = folder('two', 'a/a.mp4', 'b/b.mp4');
    const { status, stderr } = train(data, { CHRONOTOPE_FFMPEG: path.join(root, 'no-ffmpeg') });
    assert.equal(status, 1);
    assert.match(stderr, /ffmpeg/i);
    assert.match(stderr, /install|CHRONOTOPE_FFMPEG/);
  });

  test('a folder that is no run is refused by evaluate and predict', () => {
    for (const args of [
      ['evaluate', root],
      ['predict', root, 'a.mp4'],
    ]) {
      const { status, stderr } = chronotope(args);
      assert.equal(status, 1);
      assert.match(stderr, /is not a run folder/);
    }
  });
});
