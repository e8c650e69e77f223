import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadStateDict, manualSeed, ones, saveSafetensors, scope, type Tensor, zeros } from '@chronotope/torch';
import { assertClose, readGolden } from '../../testing/golden.js';
import { goldenState, goldenTensor } from '../../testing/golden-tensors.js';
import { type TinyClip, tinyShape } from '../../testing/tiny-clip.js';
import { describeWeights } from '../weights/describe-weights.js';
import { Clip } from './clip.js';
import { loadClip, saveClip } from './clip-weights.js';
import { fromHuggingFace, huggingFaceWeight, toHuggingFace } from './huggingface-keys.js';
import type { ClipShape } from './shape.js';

const GOLDEN = readGolden<TinyClip>('clip/clip_tiny.json');
const ARCHIVE = fileURLToPath(new URL('../../../golden/clip/tiny.pt', import.meta.url));
const TINY_HEADS = { imageHeads: 2, textHeads: 2 };

const folder = mkdtempSync(join(tmpdir(), 'clip-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string) => join(folder, name);

test("a TorchScript archive as OpenAI's loads: half precision becomes float32, the numbers beside the weights are left", () => {
  scope(() => {
    const { clip, format, ignored } = loadClip(ARCHIVE, TINY_HEADS);
    assert.deepEqual([format, ignored, clip.shape], ['openai', [], tinyShape(GOLDEN)]);
    assert.ok(clip.parameters().every(({ dtype }) => dtype === 'float32'));
    const expected = goldenState(GOLDEN.state_dict);
    for (const [key, value] of clip.stateDict()) {
      const half = /ln_|bias|class_embedding|positional_embedding|logit_scale|token_embedding/.test(key)
        ? expected.get(key)!
        : expected.get(key)!.to({ dtype: 'float16' }).to({ dtype: 'float32' });
      assert.deepEqual(value.toArray(), half.toArray(), key);
    }
    assertClose(clip.visual.call(goldenTensor(GOLDEN.image)), GOLDEN.image_features.data, { relative: 2e-3 });
    clip.dispose();
  });
});

interface Keys {
  openai: [string, number[]][];
  hf: [string, number[]][];
  otherShapes: { hf: Record<string, number[]> };
  conversion: Record<string, { op: 'copy' | 'transpose' | 'split'; to: string[] }>;
}

test("all keys of a full-size CLIP become those of Hugging Face's CLIPModel, and come back", () => {
  const { openai, hf, conversion } = readGolden<Keys>('clip/keys.json');
  for (const [key, { op, to }] of Object.entries(conversion)) {
    assert.deepEqual(huggingFaceWeight(key), { change: op === 'copy' ? 'none' : op, keys: to }, key);
  }
  scope(() => {
    // Views of one number have any shape and cost no memory, as long as nothing is cut, joined or copied.
    const shapes = new Map(openai);
    const state = new Map(
      [...shapes].map(([key, shape]): [string, Tensor] => [
        key,
        zeros([]).expand(shape.map((size) => Math.min(size, 6))),
      ]),
    );
    const converted = toHuggingFace(state);
    assert.deepEqual([...converted.keys()].toSorted(), hf.map(([key]) => key).toSorted());
    assert.deepEqual([...fromHuggingFace(converted).keys()].toSorted(), [...shapes.keys()].toSorted());
  });
});

/** As published models, one head for every 64 numbers, but small. */
const SMALL: ClipShape = {
  embedding: 24,
  image: { width: 128, layers: 2, heads: 2, resolution: 32, patch: 16 },
  text: { width: 64, layers: 3, heads: 1, context: 12, vocabulary: 600 },
  activation: 'quick-gelu',
};

function newClip(shape: ClipShape): Clip {
  manualSeed(5);
  return new Clip(shape);
}

test('both key styles, in safetensors and .pth, give back the same weights, architecture and features', () => {
  scope(() => {
    for (const shape of [SMALL, { ...tinyShape(GOLDEN), activation: 'gelu' as const }]) {
      const clip = newClip(shape);
      const images = ones([1, 3, shape.image.resolution, shape.image.resolution]);
      const features = clip.visual.call(images).toArray();
      for (const format of ['openai', 'huggingface'] as const) {
        for (const ending of ['safetensors', 'pth']) {
          const path = file(`${format}.${ending}`);
          saveClip(clip, path, { format });
          // Only safetensors have room to say what the shapes leave open.
          if (ending === 'pth' && shape !== SMALL) continue;
          const loaded = loadClip(path);
          assert.equal(loaded.format, format);
          assert.deepEqual(loaded.clip.shape, shape);
          for (const [key, value] of loaded.clip.stateDict()) {
            assert.deepEqual(value.toArray(), clip.stateDict().get(key)!.toArray(), key);
          }
          assert.deepEqual(loaded.clip.visual.call(images).toArray(), features);
          loaded.clip.dispose();
        }
      }
      clip.dispose();
    }
  });
});

test('a file that is inspected is recognised, with its size where it is a published one', () => {
  scope(() => {
    const clip = newClip(SMALL);
    saveClip(clip, file('small.safetensors'), { format: 'huggingface' });
    assert.deepEqual(describeWeights(file('small.safetensors')).network, {
      name: 'clip, 32 x 32 pixels in patches of 16, width 128',
      format: 'huggingface',
    });
    clip.dispose();
  });
});

test('files of something else, with a weight missing or of a wrong shape are refused by name', () => {
  scope(() => {
    saveSafetensors(file('other.safetensors'), { 'fc.weight': zeros([2, 2]) });
    assert.throws(() => loadClip(file('other.safetensors')), {
      code: 'not-clip',
      message: /other\.safetensors holds no CLIP .* lack 'visual\.conv1\.weight'/,
    });
    const clip = newClip(SMALL);
    for (const format of ['openai', 'huggingface'] as const) {
      saveClip(clip, file('whole.pth'), { format });
      const { tensors } = loadStateDict(file('whole.pth'));
      const norm = format === 'openai' ? 'ln_final.weight' : 'text_model.final_layer_norm.weight';
      saveSafetensors(file('short.safetensors'), new Map([...tensors].filter(([key]) => key !== norm)));
      assert.throws(() => loadClip(file('short.safetensors')), {
        code: 'weights-differ',
        message: /1 are missing: ln_final\.weight/,
      });
      saveSafetensors(file('wrong.safetensors'), new Map(tensors).set(norm, zeros([3])));
      assert.throws(() => loadClip(file('wrong.safetensors')), {
        code: 'weights-differ',
        message: /'ln_final\.weight' has shape \[3\]/,
      });
      saveSafetensors(file('more.safetensors'), new Map(tensors).set('extra', zeros([1])));
      const more = loadClip(file('more.safetensors'));
      assert.deepEqual(more.ignored, ['extra']);
      more.clip.dispose();
    }
    const { tensors } = loadStateDict(file('whole.pth'));
    tensors.delete('vision_model.encoder.layers.1.self_attn.v_proj.bias');
    saveSafetensors(file('short.safetensors'), tensors);
    assert.throws(() => loadClip(file('short.safetensors')), {
      code: 'not-clip',
      message: /lack 'vision_model\.encoder\.layers\.1\.self_attn\.v_proj\.bias'/,
    });
    clip.dispose();
  });
});
