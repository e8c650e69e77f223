import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lockFolder } from './folder-lock.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-lock-'));
after(() => rmSync(folder, { recursive: true }));

test('a folder is locked until it is given free', () => {
  const unlock = lockFolder(folder);
  assert.throws(() => lockFolder(folder), { code: 'index-busy', message: new RegExp(`process ${process.pid}`) });
  unlock();
  lockFolder(folder)();
  assert.ok(!existsSync(join(folder, '.lock')));
});

test('the lock of a process that has ended does not count, one of another machine does', () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(join(folder, '.lock'), `${pid} ${hostname()}\n`);
  lockFolder(folder)();
  writeFileSync(join(folder, '.lock'), `${pid} another-machine\n`);
  assert.throws(() => lockFolder(folder), { code: 'index-busy', message: /another-machine/ });
});
