import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from './main.js';

function silent(): Command {
  const quiet = { writeOut: () => {}, writeErr: () => {} };
  const program = createProgram().configureOutput(quiet);
  for (const command of program.commands) {
    command.configureOutput(quiet);
    for (const child of command.commands) child.configureOutput(quiet);
  }
  return program;
}

test('a box must be four numbers', async () => {
  for (const box of ['1,2,3', '1,2,3,four', '1,,3,4', '1,2,3,4,5', '']) {
    const args = ['track', 'run', 'no-run', 'no-video.mp4', '--box', box];
    await assert.rejects(silent().parseAsync(args, { from: 'user' }), /expected four numbers/, box);
  }
  const args = ['track', 'run', 'no-run', 'no-video.mp4', '--box', '1,2,3.5,4'];
  await assert.rejects(silent().parseAsync(args, { from: 'user' }), { code: 'not-found' });
});

test('a folder that is no run is refused before anything is read', async () => {
  const args = ['track', 'evaluate', 'no-run', '--data', 'no-data'];
  await assert.rejects(silent().parseAsync(args, { from: 'user' }), { code: 'source-missing' });
});
