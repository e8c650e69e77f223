import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  loadNpy,
  loadNpyAsync,
  loadNpz,
  loadNpzAsync,
  loadPth,
  loadPthAsync,
  loadSafetensors,
  loadSafetensorsAsync,
  loadStateDictAsync,
  memory,
  randn,
  saveNpy,
  saveNpyAsync,
  savePth,
  savePthAsync,
  saveSafetensors,
  saveSafetensorsAsync,
  scope,
  type Tensor,
  zeros,
} from '../index.js';

const folder = mkdtempSync(join(tmpdir(), 'async-files-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

/** Several pieces, no element at all, and elements that are not in order. */
const values = () => ({
  large: randn([1200, 1000]),
  empty: zeros([0, 3]),
  turned: randn([30, 20]).t(),
  bytes: zeros([7], { dtype: 'uint8' }),
});

/** Counts the rounds of the event loop until the work is done. */
async function roundsDuring(work: Promise<unknown>): Promise<number> {
  let rounds = 0;
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await setImmediate();
    rounds++;
  }
  await done;
  return rounds;
}

type Tensors = Record<string, Tensor>;
/** A NumPy file holds one array. */
const oneOf = ({ large, x }: Tensors): Tensor => (large ?? x)!;
const SAVERS = {
  safetensors: [saveSafetensors, saveSafetensorsAsync],
  pth: [savePth, savePthAsync],
  npy: [
    (path: string, tensors: Tensors) => saveNpy(path, oneOf(tensors)),
    (path: string, tensors: Tensors, options: object = {}) => saveNpyAsync(path, oneOf(tensors), options),
  ],
} as const;

for (const [format, [save, saveAsync]] of Object.entries(SAVERS)) {
  test(`${format}: the same file as from the synchronous twin, while the event loop runs`, async () => {
    await scope(() => {
      const tensors = values();
      save(at('sync'), tensors);
      // The scope ends, and with it these handles, before the file is written.
      return { work: roundsDuring(saveAsync(at('async'), tensors)) };
    }).work.then((rounds) => assert.ok(rounds > 1, `${rounds} rounds`));
    assert.deepEqual(readFileSync(at('async')), readFileSync(at('sync')));
  });

  test(`${format}: what fails leaves the old file, no other one and no tensor`, async () => {
    using x = randn([1200, 1000]);
    writeFileSync(at('kept'), 'old');
    const before = memory().liveTensors;
    const files = readdirSync(folder);
    const controller = new AbortController();
    const aborted = saveAsync(at('kept'), { x }, { signal: controller.signal });
    controller.abort();
    await assert.rejects(aborted, { name: 'AbortError' });
    assert.deepEqual([readFileSync(at('kept'), 'utf8'), readdirSync(folder)], ['old', files]);

    await assert.rejects(saveAsync(at('no/such/folder'), { x }), {
      name: 'TorchError',
      code: 'io',
      message: /no\/such/,
    });
    assert.equal(memory().liveTensors, before);
  });
}

test('what a format cannot hold is refused as by the synchronous twins', async () => {
  using x = zeros([1]);
  await assert.rejects(saveSafetensorsAsync(at('x'), { __metadata__: x }), { code: 'argument' });
  await assert.rejects(savePthAsync(at('x'), { deep: { when: new Date() as never } }), { message: /deep\.when/ });
});

/** Two tensors of all that a loader gives, as bytes. */
const bytesOf = (tensors: ReadonlyMap<unknown, unknown>) =>
  ['large', 'turned'].map((name) => (tensors.get(name) as Tensor).data());

test('loading gives what the synchronous twins give, while the event loop runs', async () => {
  scope(() => {
    const tensors = values();
    saveSafetensors(at('x.safetensors'), tensors, { metadata: { epoch: '3' } });
    savePth(at('x.pth'), { ...tensors, epoch: 3 });
  });
  let safetensors!: Awaited<ReturnType<typeof loadSafetensorsAsync>>;
  const rounds = await roundsDuring(
    loadSafetensorsAsync(at('x.safetensors')).then((loaded) => {
      safetensors = loaded;
    }),
  );
  assert.ok(rounds > 1, `${rounds} rounds`);
  const pth = await loadPthAsync(at('x.pth'));
  const found = await loadStateDictAsync(at('x.pth'));
  scope(() => {
    const expected = loadSafetensors(at('x.safetensors'));
    assert.deepEqual(bytesOf(safetensors.tensors), bytesOf(expected.tensors));
    assert.deepEqual(safetensors.metadata, expected.metadata);
    const expectedPth = loadPth(at('x.pth'));
    assert.deepEqual(bytesOf(pth.value as Map<string, Tensor>), bytesOf(expectedPth.value as Map<string, Tensor>));
    assert.deepEqual([pth.format, pth.skipped], [expectedPth.format, expectedPth.skipped]);
    assert.deepEqual(bytesOf(found.tensors), bytesOf(expected.tensors));
  });
});

test("NumPy's files are loaded as by the synchronous twins", async () => {
  scope(() => saveNpy(at('x.npy'), values().turned));
  const array = await loadNpyAsync(at('x.npy'));
  scope(() => assert.deepEqual(array.data(), loadNpy(at('x.npy')).data()));
  const golden = fileURLToPath(new URL('../../golden/io/stored.npz', import.meta.url));
  const arrays = await loadNpzAsync(golden);
  scope(() => assert.deepEqual([...arrays.keys()], [...loadNpz(golden).keys()]));
});

test('the files of a sharded one are read as well', async () => {
  scope(() => {
    saveSafetensors(at('1.safetensors'), { a: zeros([2]) });
    saveSafetensors(at('2.safetensors'), { b: zeros([3]) });
  });
  const weight_map = { a: '1.safetensors', b: '2.safetensors' };
  writeFileSync(at('x.safetensors.index.json'), JSON.stringify({ weight_map }));
  const { tensors } = await loadSafetensorsAsync(at('x.safetensors.index.json'));
  assert.deepEqual([...tensors.keys()], ['a', 'b']);
});

test('files that are missing, damaged or given up are refused', async () => {
  scope(() => saveSafetensors(at('cut'), { x: randn([100]) }));
  truncateSync(at('cut'), 120);
  for (const load of [loadSafetensorsAsync, loadPthAsync, loadStateDictAsync, loadNpyAsync, loadNpzAsync]) {
    await assert.rejects(load(at('cut')), { name: 'TorchError', code: 'io', message: /cut/ });
    await assert.rejects(load(at('missing')), { name: 'TorchError', code: 'io', message: /missing/ });
    await assert.rejects(load(at('cut'), { signal: AbortSignal.abort() }), { name: 'AbortError' });
  }
});
