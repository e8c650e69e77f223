import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distributed as dist, nn, ones, TorchError } from '../index.js';
import { freePort } from './launch.js';

/** A group of this process alone. */
const alone = (port: number) => ({
  initMethod: `tcp://127.0.0.1:${port}`,
  rank: 0,
  worldSize: 1,
  timeoutSeconds: 30,
});

test('a process can leave its group and make another one at the same port, with a wrapped model too', async () => {
  const port = await freePort();
  await dist.initProcessGroup(alone(port));
  const wrapped = new dist.DistributedDataParallel(new nn.Linear(2, 1));
  wrapped
    .call(ones([1, 2]))
    .sum()
    .backward();
  assert.deepEqual(wrapped.module.weight.grad!.toArray(), [[1, 1]]);
  dist.destroyProcessGroup();
  dist.destroyProcessGroup();

  await dist.initProcessGroup(alone(port));
  dist.barrier();
  dist.destroyProcessGroup();
  assert.equal(dist.isInitialized(), false);
});

test('after the group has ended the module trains by itself, and the wrapper says why it cannot', async () => {
  await dist.initProcessGroup(alone(await freePort()));
  const wrapped = new dist.DistributedDataParallel(new nn.Linear(2, 1));
  dist.destroyProcessGroup();
  assert.throws(() => wrapped.call(ones([1, 2])), { code: 'distributed', message: /the process group has ended/ });
  const module = wrapped.unwrap();
  module
    .call(ones([1, 2]))
    .sum()
    .backward();
  assert.deepEqual(module.weight.grad!.toArray(), [[1, 1]]);
});

test('a rank that finds nobody says where it looked and what to check', async () => {
  const port = await freePort();
  const lonely = dist.initProcessGroup({ ...alone(port), rank: 1, worldSize: 2, timeoutSeconds: 0.5 });
  await assert.rejects(lonely, (error: TorchError) => {
    assert.ok(error instanceof TorchError);
    assert.equal(error.code, 'distributed');
    assert.match(error.message, new RegExp(`^rank 1 of 2 \\(127\\.0\\.0\\.1:${port}\\) could not join the group: `));
    assert.match(error.hint!, /does rank 0 run, is 127\.0\.0\.1:\d+ reachable from here \(MASTER_ADDR/);
    return true;
  });
  assert.equal(dist.isInitialized(), false);
});
