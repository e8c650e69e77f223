/** The files under golden/io were written by PyTorch 1.13 and NumPy, see scripts/golden/io.py. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  loadPth,
  loadStateDict,
  nn,
  type PthValue,
  STATE_DICT_KEYS,
  savePth,
  saveSafetensors,
  scope,
  Tensor,
  tensor,
} from '../index.js';
import { goldenPath } from '../testing/golden-files.js';

const folder = mkdtempSync(join(tmpdir(), 'state-dict-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'x.bin');

const golden = (name: string) => goldenPath(`io/${name}`);

/** Asserts the names, their order, dtypes and values of a checkpoint that PyTorch wrote of the same module's state dict. */
function assertSameWeights(actual: ReadonlyMap<string, Tensor>, expected: PthValue): void {
  assert.ok(expected instanceof Map);
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  for (const [name, value] of expected) {
    assert.ok(value instanceof Tensor);
    const tensor = actual.get(String(name))!;
    assert.equal(tensor.dtype, value.dtype, String(name));
    assert.deepEqual(tensor.toArray(), value.toArray(), String(name));
  }
}

test("a TorchScript archive gives its module's state dict: nested modules, buffers, half precision, no attributes", () => {
  scope(() => {
    const { tensors, format } = loadStateDict(golden('torchscript.pt'));
    assert.equal(format, 'torchscript');
    assert.equal(tensors.get('blocks.0.gain')!.dtype, 'float16');
    assertSameWeights(tensors, loadPth(golden('torchscript-weights.pth')).value);
  });
});

test('a module that was pickled whole gives its state dict, without non-persistent buffers', () => {
  scope(() => {
    const { tensors } = loadStateDict(golden('whole-module.pth'));
    assertSameWeights(tensors, loadPth(golden('whole-module-weights.pth')).value);
  });
});

test('weights inside of a checkpoint are taken where the caller says, and the rest is reported', () => {
  scope(() => {
    for (const key of ['state_dict', STATE_DICT_KEYS]) {
      const { tensors, skipped, format } = loadStateDict(golden('checkpoint-2.pth'), { key });
      assert.equal(format, 'pth');
      assert.equal(tensors.size, 7);
      assert.ok(skipped.some(({ path: at, kind }) => at === 'args' && kind === 'argparse.Namespace'));
    }
    const { skipped } = loadStateDict(golden('checkpoint-2.pth'));
    assert.ok(skipped.some(({ path: at, kind }) => at === 'epoch' && kind === 'a number'));
  });
});

test('weights load into a module by name', () => {
  scope(() => {
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.BatchNorm1d(3));
    model.loadStateDict(loadStateDict(golden('checkpoint-5.pth'), { key: 'state_dict' }).tensors);
    assert.equal(model.stateDict().get('1.num_batches_tracked')!.item(), 1);
    savePth(path, { state_dict: model.stateDict() });
    assertSameWeights(loadStateDict(path, { key: 'state_dict' }).tensors, model.stateDict());
  });
});

test('a checkpoint without weights at its top tells where it has some', () => {
  scope(() => {
    savePth(path, { epoch: 3, model: { w: tensor([1]) } });
    assert.throws(() => loadStateDict(path), {
      code: 'io',
      message: /no tensors by name/,
      hint: /epoch \(a number\), model \(a dictionary of 1 tensors and 0 others\); pass \{ key: 'model' \}/,
    });
    assert.throws(() => loadStateDict(path, { key: ['ema', 'net'] }), {
      code: 'io',
      message: /nothing under ema, net/,
    });
  });
});

test('formats are recognised by content, not by name', () => {
  scope(() => {
    saveSafetensors(path, { w: tensor([1, 2]) });
    assert.equal(loadStateDict(path).format, 'safetensors');
    // A header of 128 bytes begins with the byte that pickles begin with.
    saveSafetensors(path, { w: tensor([1, 2]) }, { metadata: { note: 'x'.repeat(42) } });
    assert.equal(readFileSync(path)[0], 0x80);
    assert.equal(loadStateDict(path).format, 'safetensors');
    assert.equal(loadStateDict(golden('stored.npz')).format, 'npz');
    assert.equal(loadStateDict(golden('compressed.npz')).format, 'npz');
    assert.equal(loadStateDict(golden('views-legacy.pth')).format, 'pth-legacy');
  });
});

test('files that are mistaken for checkpoints are named, with what to do', () => {
  const mistaken: [string, RegExp, RegExp][] = [
    ['version https://git-lfs.github.com/spec/v1\noid sha256:0', /pointer of Git LFS/, /git lfs pull/],
    ['<!DOCTYPE html><html></html>', /web page/, /download/],
    ['\x1f\x8b\x08', /gzip/, /gunzip/],
    ['\x89HDF\r\n', /HDF5/, /convert/],
    ['\x93NUMPY\x01', /one array/, /loadNpy/],
    ['GGUF\x03', /GGUF/, /convert/],
    ['what is this', /begins with/, /safetensors/],
    ['', /empty/, /./],
  ];
  for (const [text, message, hint] of mistaken) {
    writeFileSync(path, text, 'latin1');
    assert.throws(() => loadStateDict(path), { code: 'io', message, hint });
  }
  assert.throws(() => loadStateDict(folder), { code: 'io' });
  assert.throws(() => loadStateDict(join(folder, 'none')), { code: 'io' });
});
