import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { nn, noGrad, ones, randn, scope } from '@chronotope/torch';
import { Clip, saveClip } from '../../models/clip/index.js';
import type { ClipVideo } from '../../models/space-time/clip-video.js';
import { assertClose } from '../../testing/golden.js';
import { tinyLss, tinySvt } from '../../testing/tiny-lss.js';
import { imageClipOf, startNetwork } from './networks.js';

const folder = mkdtempSync(path.join(tmpdir(), 'chronotope-networks-'));
after(() => rmSync(folder, { recursive: true }));

const SHAPE = {
  ...{ embedding: 8, activation: 'quick-gelu' as const },
  image: { width: 12, layers: 2, heads: 2, resolution: 16, patch: 4 },
  text: { width: 8, layers: 1, heads: 2, context: 8, vocabulary: 600 },
};

test('the image CLIP of a start is the CLIP of the file, frame by frame, whatever looks along time', () => {
  const file = path.join(folder, 'clip.safetensors');
  const clip = new Clip(SHAPE);
  saveClip(clip, file);
  for (const setting of ['divided', 'frozen', 'joint', 'space-only'].map((kind) => `model.attention=${kind}`)) {
    for (const start of ['zero', 'random']) {
      const recipe = tinyLss([`model.pretrained=${file}`, setting, `model.temporalStart=${start}`]);
      const network = startNetwork(recipe);
      scope(() =>
        noGrad(() => {
          const clips = randn([2, 3, 3, 16, 16]);
          const frames = clips.transpose(1, 2).flatten({ startDim: 0, endDim: 1 });
          const expected = nn.functional.normalize(clip.visual.call(frames)).view([2, 3, 8]).mean(1);
          assertClose(imageClipOf(network, recipe)!.embed(clips), expected.toArray() as number[][], { absolute: 1e-6 });
        }),
      );
      network.dispose();
    }
  }
  clip.dispose();
});

test('a network from nothing, of another kind, or from a video network has no image CLIP in it', () => {
  const [none, other] = [tinyLss(), tinySvt(['model.backbone=space-time-vit'])];
  for (const recipe of [none, other]) {
    const network = startNetwork(recipe);
    assert.equal(imageClipOf(network, recipe), null);
    network.dispose();
  }
  const network = startNetwork(none);
  const timeEmbed = (network.backbone as ClipVideo).timeEmbed!;
  noGrad(() => scope(() => timeEmbed.copy_(ones(timeEmbed.shape))));
  assert.equal(imageClipOf(network, tinyLss(['model.pretrained=video.safetensors'])), null);
  network.dispose();
});
