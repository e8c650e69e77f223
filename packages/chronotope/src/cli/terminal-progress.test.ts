import assert from 'node:assert/strict';
import { test } from 'node:test';
import { terminalProgress } from './terminal-progress.js';

test('the time left is judged by what was done since the first report, not by a slow start or by earlier work', () => {
  const lines: string[] = [];
  const stream = { isTTY: false, write: (text: string) => lines.push(text) > 0 } as never;
  let seconds = 0;
  const task = terminalProgress(stream, () => 1000 * seconds).begin('decoding', 120, 'videos');

  seconds = 60;
  task.update(100);
  assert.deepEqual(lines, ['  decoding: 100/120\n']);
  seconds = 80;
  task.update(110);
  assert.equal(lines[1], '  decoding: 110/120, 0.5 videos/s, 20 s left\n');
});
