// A full-size ViT-B/16 with random weights, written under OpenAI's and Hugging Face's names and read back: both must
// give the same features, bit for bit. Prints the times and sizes. Needs about 2 GB of memory and 1.2 GB of disk.
//
//   node bench/lss/clip-formats.mjs

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLIP_SHAPES, Clip, loadClip, saveClip } from '../../packages/chronotope/dist/models/clip/index.js';
import { noGrad, randn, tensor } from '../../packages/torch/dist/index.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-bench-'));
try {
  const clip = timed('made', () => new Clip(CLIP_SHAPES['ViT-B/16']));
  const images = randn([2, 3, 224, 224]);
  const ids = tensor([[49406, 320, 1125, 539, 320, 2368, 269, 49407]], { dtype: 'int64' });
  const features = (model) => noGrad(() => [model.visual.call(images), model.text.call(ids)]);
  const expected = timed('2 images and 1 text encoded', () => features(clip));
  for (const format of ['openai', 'huggingface']) {
    const path = join(folder, `${format}.safetensors`);
    timed(`${format}: written`, () => saveClip(clip, path, { format }));
    const loaded = timed(`${format}: loaded`, () => loadClip(path).clip);
    const equal = features(loaded).every((value, index) => value.equal(expected[index]));
    console.log(`${format}: ${(statSync(path).size / 1e6).toFixed(0)} MB, features ${equal ? 'equal' : 'DIFFER'}`);
    if (!equal) process.exitCode = 1;
    loaded.dispose();
  }
} finally {
  rmSync(folder, { recursive: true });
}

function timed(what, run) {
  const started = performance.now();
  const result = run();
  console.log(`${what} in ${((performance.now() - started) / 1000).toFixed(2)} s`);
  return result;
}
