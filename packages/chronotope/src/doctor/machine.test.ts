import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { examineDisk, examineMemory, examineNode, examineProcessor, judgeDisk } from './machine.js';

test('Node before 20.19 counts as missing and says what to install', () => {
  assert.equal(examineNode('20.19.0').status, 'ok');
  assert.equal(examineNode('22.1.0').status, 'ok');
  for (const old of ['20.18.9', '18.20.0']) {
    const finding = examineNode(old);
    assert.equal(finding.status, 'missing');
    assert.match(finding.detail, /too old: 20\.19/);
    assert.match(finding.fix ?? '', /nvm install/);
  }
});

test('little memory is a warning with its size', () => {
  const finding = examineMemory(1e9, 4e9);
  assert.deepEqual([finding.status, finding.detail], ['warning', '1.0 GB available of 4.0 GB']);
  assert.ok(finding.fix);
  assert.equal(examineMemory(3e9, 4e9).status, 'ok');
});

test('little free disk is a warning that names the folder', () => {
  const finding = judgeDisk(1e9, '/some/where');
  assert.deepEqual([finding.status, finding.detail], ['warning', '1.0 GB free in /some/where']);
  assert.equal(judgeDisk(6e9, '/some/where').status, 'ok');
});

test('a processor that others keep busy is a warning', () => {
  assert.equal(examineProcessor(1.9, 2).status, 'ok');
  const busy = examineProcessor(6.04, 2);
  assert.equal(busy.status, 'warning');
  assert.match(busy.detail, /2 core\(s\).*load 6\.0/);
});

test('this machine can be examined', async () => {
  assert.match((await examineDisk(tmpdir())).detail, /^\d+\.\d GB free in /);
  assert.match(examineMemory().detail, /^\d+\.\d GB available of \d+\.\d GB$/);
  assert.match(examineProcessor().detail, /\d+ core\(s\)/);
});
