import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Inspection, Journal } from './journal.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-journal-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;

function journalFile(...inspections: Inspection[]): string {
  files += 1;
  const file = join(folder, `${files}.jsonl`);
  const journal = new Journal(file);
  for (const inspection of inspections) journal.add(inspection);
  journal.close();
  return file;
}

function broken(path: string, sha256: string, modified = 1): Inspection {
  const failure = { code: 'truncated', reason: `é ${path}`, hint: 'get another' };
  return { path, file: { bytes: 5, modified, sha256: sha256.repeat(64) }, outcome: { failure } };
}

test('what was added is known again after reopening, by path with size and time, and by contents', () => {
  const [a, b] = [broken('/é/a', 'a'), broken('/b', 'b', 1.5)];
  const journal = new Journal(journalFile(a, b));
  assert.deepEqual(journal.of('/é/a'), a);
  assert.equal(journal.knows('/é/a', { bytes: 5, modified: 1 }), true);
  assert.equal(journal.knows('/é/a', { bytes: 6, modified: 1 }), false);
  assert.equal(journal.knows('/é/a', { bytes: 5, modified: 2 }), false);
  assert.equal(journal.knows('/c', { bytes: 5, modified: 1 }), false);
  assert.deepEqual(journal.recallContents('b'.repeat(64)), b);
  assert.equal(journal.recallContents('c'.repeat(64)), null);
  journal.close();
});

test('cut off at any byte, the lines before the cut are kept and the next is written properly', () => {
  const [a, b, c] = [broken('/a', 'a'), broken('/b', 'b'), broken('/c', 'c')];
  const whole = readFileSync(journalFile(a, b));
  const firstLine = whole.indexOf('\n') + 1;
  for (let length = 0; length <= whole.length; length += 7) {
    const file = journalFile(a, b);
    truncateSync(file, length);
    const journal = new Journal(file);
    assert.deepEqual(journal.of('/a'), length >= firstLine ? a : null);
    assert.deepEqual(journal.of('/b'), length === whole.length ? b : null);
    journal.add(c);
    journal.close();
    const again = new Journal(file);
    assert.deepEqual(again.of('/c'), c);
    assert.deepEqual(again.of('/a'), length >= firstLine ? a : null);
    again.close();
  }
});

test('lines that make no sense, or come from another version, count as never written', () => {
  const file = journalFile(broken('/a', 'a'));
  const line = readFileSync(file, 'utf8');
  writeFileSync(file, `${line.replace(/"version":\d+/, '"version":0')}\0\0garbage\n`);
  appendFileSync(file, Buffer.from([0xff, 0xfe, 0x0a]));
  appendFileSync(file, line.trimEnd().replaceAll('/a', '/b').replace('a'.repeat(64), 'b'.repeat(64)));
  appendFileSync(file, '\n');
  const journal = new Journal(file);
  assert.equal(journal.of('/a'), null);
  assert.deepEqual(journal.of('/b'), broken('/b', 'b'));
  journal.close();
});

test('the newest line of a path counts, and closing leaves the older ones out', () => {
  const newer = broken('/a', 'c', 9);
  const file = journalFile(broken('/a', 'a'), broken('/b', 'b'), newer);
  assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 2);
  const journal = new Journal(file);
  assert.deepEqual(journal.of('/a'), newer);
  assert.deepEqual(journal.of('/b'), broken('/b', 'b'));
  assert.equal(journal.recallContents('a'.repeat(64)), null);
  journal.close();
});

test('a file that took too long is not known, so that it is tried again', () => {
  const slow = broken('/a', 'a');
  const outcome = { failure: { code: 'timeout', reason: 'slow', hint: 'wait' } };
  const journal = new Journal(journalFile({ ...slow, outcome }));
  assert.equal(journal.knows('/a', slow.file), false);
  assert.equal(journal.recallContents(slow.file.sha256), null);
  assert.deepEqual(journal.of('/a')!.outcome, outcome);
  journal.close();
});
