import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { createProgram } from './main.js';

const hasBash = spawnSync('bash', ['--version']).status === 0;

async function scriptFor(shell: string): Promise<string> {
  const written: string[] = [];
  const program = createProgram();
  const command = program.commands.find((child) => child.name() === 'completion')!;
  command.configureOutput({ writeOut: (text) => written.push(text) });
  await program.parseAsync(['completion', shell], { from: 'user' });
  return written.join('');
}

test('bash completes commands, options, their values, recipes and settings', { skip: !hasBash }, async () => {
  const script = await scriptFor('bash');
  const complete = (...words: string[]): string[] => {
    const run = `${script}\nCOMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _chronotope; echo "\${COMPREPLY[*]}"`;
    // Through standard input: as an argument the script would be too long.
    const { status, stdout, stderr } = spawnSync('bash', ['-s', 'chronotope', ...words], {
      ...{ encoding: 'utf8', input: run },
    });
    assert.equal(status, 0, stderr);
    return stdout.trim().split(' ');
  };
  assert.deepEqual(complete('rec'), ['recipe']);
  assert.deepEqual(complete('recipe', ''), ['list', 'show', 'explain', 'validate']);
  assert.deepEqual(complete('train', 'timebalance', '--labels-'), ['--labels-per-class']);
  assert.deepEqual(complete('train', 'timebalance', '--recipe', 'timebalance-d'), ['timebalance-demo']);
  assert.deepEqual(complete('train', 'timebalance', '--set', 'student.ste'), ['student.steps=']);
  assert.deepEqual(complete('recipe', 'explain', 'similarity.m'), ['similarity.map']);
  assert.deepEqual(complete('predict', '--model', 'stu'), ['student']);
  assert.deepEqual(complete('train', 'timebalance', '--data', ''), [''], 'the shell completes files');
});

test('zsh gets the script of bash, fish one line for every command and option', async () => {
  assert.ok((await scriptFor('zsh')).endsWith(await scriptFor('bash')));
  const fish = await scriptFor('fish');
  assert.match(fish, /-f -a doctor -d 'check what/);
  assert.match(
    fish,
    /subcommand_from train; and __fish_seen_subcommand_from timebalance' -l recipe -x -a 'timebalance-best timebalance-demo /,
  );
  assert.match(fish, /subcommand_from predict' -l model -x -a '.*student/);
});

test('a shell that is not known is refused', async () => {
  const program = createProgram().configureOutput({ writeErr: () => {} });
  for (const child of program.commands) child.configureOutput({ writeErr: () => {} });
  await assert.rejects(program.parseAsync(['completion', 'tcsh'], { from: 'user' }), /Allowed choices are bash/);
});
