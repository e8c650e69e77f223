import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { memory, noGrad, randn, scope } from '@chronotope/torch';
import { assertClose, readGolden } from '../../testing/golden.js';
import { type GoldenTensor, goldenState, goldenTensor } from '../../testing/golden-tensors.js';
import { ClipImageTower } from '../clip/image-tower.js';
import { ClipVideo, type ClipVideoOptions } from './clip-video.js';
import { SPACE_TIME_ATTENTION } from './wiring.js';

interface Spec {
  init_preservation: { image: GoldenTensor; clip_image_features: GoldenTensor };
  state_dict: Record<string, GoldenTensor>;
  cases: Record<'input_BCTHW' | 'features' | 'cls_before_ln_post' | 'cotangent' | 'grad_input', GoldenTensor> &
    { name: string }[];
}

const SPEC = readGolden<Spec>('lss/st_clip_visual_spec.json');
const TINY: ClipVideoOptions = {
  shape: { width: 12, heads: 2, layers: 2, patch: 4, resolution: 8 },
  embedding: 7,
  frames: 3,
};
const close = { absolute: 2e-5, relative: 1e-4 };

/** The method note's names of the added weights to ours. */
function ownKey(key: string): string {
  return key
    .replace('visual.time_embed', 'time_embed')
    .replace(/visual\.transformer\.resblocks\.(\d+)\.(ln_t|attn_t|temporal_fc)/, (_, block, part) => {
      const own = { ln_t: 'norm', attn_t: 'attn', temporal_fc: 'fc' }[part as 'ln_t' | 'attn_t' | 'temporal_fc'];
      return `temporal.${block}.${own}`;
    });
}

const specState = () => new Map([...goldenState(SPEC.state_dict)].map(([key, value]) => [ownKey(key), value]));
const imageState = () => new Map([...specState()].filter(([key]) => key.startsWith('visual.')));

describe("values of CLIP's modules composed as the method note says", () => {
  for (const c of SPEC.cases as unknown as (Record<string, GoldenTensor> & { name: string })[]) {
    test(c.name, () =>
      scope(() => {
        const network = new ClipVideo(TINY);
        network.loadStateDict(specState());
        const input = goldenTensor(c.input_BCTHW!, { requiresGrad: true });
        const features = network.embed(input);
        assertClose(features, c.features!.data, close);
        features.mul(goldenTensor(c.cotangent!)).sum().backward();
        assertClose(input.grad!, c.grad_input!.data, { ...close, absolute: 1e-4 });
        network.dispose();
      }),
    );
  }
});

describe("with CLIP's weights in the image tower", () => {
  const { image, clip_image_features: expected } = SPEC.init_preservation;

  for (const attention of SPACE_TIME_ATTENTION.filter((kind) => kind === 'divided' || kind === 'space-only')) {
    test(`a video of equal frames has the embedding of the image, ${attention}`, () =>
      scope(() => {
        const network = new ClipVideo({ ...TINY, attention });
        network.loadStateDict(imageState(), { strict: false });
        network.copySpaceToTime();
        for (const frames of [1, 3, 5]) {
          const video = goldenTensor(image).unsqueeze(2).expand([2, 3, frames, 8, 8]);
          assertClose(network.embed(video), expected.data, { absolute: 2e-6, what: `${frames} frames` });
        }
        network.dispose();
      }));
  }

  for (const attention of SPACE_TIME_ATTENTION) {
    test(`a single frame has the embedding of the image, ${attention}`, () =>
      scope(() => {
        const network = new ClipVideo({ ...TINY, attention });
        network.loadStateDict(imageState(), { strict: false });
        network.copySpaceToTime();
        assertClose(network.embed(goldenTensor(image).unsqueeze(2)), expected.data, { absolute: 2e-6 });
        network.dispose();
      }));
  }

  test('the image tower of the video network is CLIP as it was, also at the size of local views', () =>
    scope(() => {
      const network = new ClipVideo(TINY);
      network.loadStateDict(imageState(), { strict: false });
      const tower = new ClipImageTower(TINY.shape, TINY);
      tower.loadStateDict(network.visual.stateDict());
      const small = randn([2, 3, 4, 4]);
      assertClose(network.embed(small.unsqueeze(2)), tower.call(small).toArray() as number[][], { absolute: 2e-6 });
    }));
});

test('frames of independent order: space-only attention does not see order, divided attention with time embeddings does', () => {
  scope(() => {
    const video = randn([1, 3, 3, 8, 8]);
    const change = (network: ClipVideo) =>
      network
        .embed(video)
        .sub(network.embed(video.flip([2])))
        .abs()
        .max()
        .item();
    const spaceOnly = new ClipVideo({ ...TINY, attention: 'space-only' });
    assert.ok(change(spaceOnly) < 1e-5);
    const divided = new ClipVideo(TINY);
    divided.loadStateDict(specState());
    assert.ok(change(divided) > 1e-4);
  });
});

test('a full-size ViT-B/16 has the parameters that the method note counts', () => {
  // Counted from the parts, without making 120 million weights.
  const { width, layers, frames } = { width: 768, layers: 12, frames: 8 };
  const perBlock = 2 * width + (3 * width * width + 3 * width) + (width * width + width) + (width * width + width);
  assert.equal(layers * perBlock + frames * width, 35_460_096);
  scope(() => {
    const network = new ClipVideo({ ...TINY, frames });
    const added = [...network.namedParameters()].filter(([key]) => !key.startsWith('visual.'));
    const tiny = 2 * 12 + (3 * 144 + 36) + (144 + 12) + (144 + 12);
    assert.equal(
      added.reduce((sum, [, { numel }]) => sum + numel, 0),
      2 * tiny + frames * 12,
    );
  });
});

test('features are of the class token, embeddings of the shared space; nothing is left behind', () => {
  scope(() => {
    const network = new ClipVideo({ ...TINY, pooling: 'patches', slices: 3 });
    const clips = randn([2, 3, 3, 8, 8]);
    const before = memory().liveTensors;
    scope(() =>
      noGrad(() => {
        assert.deepEqual([...network.call(clips).shape], [2, 12, 3, 1, 1]);
        assert.deepEqual([...network.embed(clips).shape], [2, 7]);
      }),
    );
    assert.equal(memory().liveTensors, before);
  });
});
