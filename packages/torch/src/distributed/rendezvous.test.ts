import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TorchError } from '../errors.js';
import { type ProcessGroupOptions, rendezvousOf } from './rendezvous.js';

const TORCHRUN = { RANK: '1', WORLD_SIZE: '4', LOCAL_RANK: '1', MASTER_ADDR: 'node-7.cluster', MASTER_PORT: '29500' };

function refusal(options: ProcessGroupOptions, variables: Record<string, string | undefined>): string {
  try {
    rendezvousOf(options, variables);
  } catch (error) {
    assert.equal((error as TorchError).code, 'argument');
    return (error as Error).message;
  }
  return 'accepted';
}

test('torchrun’s variables say who meets where; rank 0 serves', () => {
  assert.deepEqual(rendezvousOf({ timeoutSeconds: 2.5 }, TORCHRUN), {
    backend: 'gloo',
    file: '',
    host: 'node-7.cluster',
    port: 29500,
    serves: false,
    prefix: 'group',
    rank: 1,
    size: 4,
    timeout: 2500,
    name: 'rank 1 of 4 (node-7.cluster:29500)',
    networkInterface: '',
    address: '',
  });
  assert.equal(rendezvousOf({}, { ...TORCHRUN, RANK: '0' }).serves, true);
});

test('torchrun’s agent serves itself, under a new prefix after each restart', () => {
  const variables = { ...TORCHRUN, RANK: '0', TORCHELASTIC_USE_AGENT_STORE: 'True', TORCHELASTIC_RESTART_COUNT: '2' };
  const { serves, prefix } = rendezvousOf({}, variables);
  assert.deepEqual({ serves, prefix }, { serves: false, prefix: 'worker/attempt_2' });
});

test('options go before variables, and need none', () => {
  const tcp = rendezvousOf({ initMethod: 'tcp://[::1]:4000', rank: 0, worldSize: 2 }, {});
  assert.deepEqual([tcp.host, tcp.port, tcp.serves, tcp.name], ['::1', 4000, true, 'rank 0 of 2 (::1:4000)']);
  const file = rendezvousOf({ initMethod: 'file:///shared/run 1/meet', rank: 1, worldSize: 2 }, {});
  assert.deepEqual([file.file, file.name], ['/shared/run 1/meet', 'rank 1 of 2 (/shared/run 1/meet)']);
});

test('ranks of one host connect through its loopback; GLOO_SOCKET_IFNAME decides otherwise', () => {
  for (const host of ['127.0.0.1', 'localhost', '127.3.2.1']) {
    assert.equal(rendezvousOf({}, { ...TORCHRUN, MASTER_ADDR: host }).address, '127.0.0.1');
  }
  const named = rendezvousOf({}, { ...TORCHRUN, MASTER_ADDR: 'localhost', GLOO_SOCKET_IFNAME: 'eth1,eth2' });
  assert.deepEqual([named.networkInterface, named.address], ['eth1', '']);
});

test('what is missing or wrong is named', () => {
  assert.match(refusal({}, {}), /WORLD_SIZE is not set/);
  assert.match(refusal({}, { ...TORCHRUN, MASTER_ADDR: undefined }), /MASTER_ADDR is not set/);
  assert.match(refusal({}, { ...TORCHRUN, RANK: '4' }), /RANK must be a whole number from 0 to 3, and is '4'/);
  assert.match(refusal({}, { ...TORCHRUN, MASTER_PORT: '99999' }), /MASTER_PORT must be .* 65535, and is '99999'/);
  assert.match(refusal({ rank: -1 }, TORCHRUN), /rank -1 of 4 is none/);
  assert.match(refusal({ timeoutSeconds: 0 }, TORCHRUN), /timeoutSeconds must lie above 0/);
  for (const initMethod of ['tcp://host', 'tcp://host:0', 'file://relative', 'udp://host:1']) {
    assert.match(refusal({ initMethod }, TORCHRUN), /is none of env:\/\/, tcp:\/\/host:port, file:\/\/\/path/);
  }
});
