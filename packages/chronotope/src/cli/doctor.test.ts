import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../doctor/finding.js';
import { doctorCommand, renderFindings } from './doctor.js';

const well: Finding = { area: 'Machine', name: 'Node', status: 'ok', detail: '20.19.0' };
const slow: Finding = { area: 'libtorch', name: 'BLAS', status: 'warning', detail: 'slow', fix: 'first\nsecond' };
const gone: Finding = { area: 'Video', name: 'FFmpeg', status: 'missing', detail: 'not found', fix: 'install it' };

test('findings are printed aligned under headings, each with what mends it', () => {
  assert.deepEqual(renderFindings([well, slow, gone]).split('\n'), [
    'Machine',
    '  ✓ Node    20.19.0',
    '',
    'libtorch',
    '  ! BLAS    slow',
    '            to mend: first',
    '                     second',
    '',
    'Video',
    '  ✗ FFmpeg  not found',
    '            to mend: install it',
    '',
    'Chronotope cannot work yet. Missing: FFmpeg.',
    '',
  ]);
});

test('the last line says whether all is well', () => {
  assert.match(renderFindings([well]), /\n\nAll is well\.\n$/);
  assert.match(renderFindings([well, slow]), /\n\nChronotope works\. Could be better: BLAS\.\n$/);
});

test('--json prints the findings and nothing else', async () => {
  const written: string[] = [];
  const command = doctorCommand().configureOutput({ writeOut: (text) => written.push(text) });
  await command.parseAsync(['--json', '--no-speed'], { from: 'user' });
  const findings = JSON.parse(written.join('')) as Finding[];
  const names = findings.map(({ name }) => name);
  for (const name of ['Node', 'libtorch', 'FFmpeg', 'Memory', 'Disk']) assert.ok(names.includes(name), name);
  assert.ok(!names.includes('Training'));
});
