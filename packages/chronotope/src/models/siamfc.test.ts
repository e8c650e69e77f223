import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noGrad, scope, type Tensor, tensor, zeros } from '@chronotope/torch';
import { assertClose, type Nested, readGolden } from '../testing/golden.js';
import { AlexNet } from './alexnet.js';
import { ResNet18, ResNet50 } from './image-resnet.js';
import { SiamFC, type TrackingBackbone } from './siamfc.js';

interface ShapeCase {
  arch: 'resnet18' | 'resnet50' | 'AlexNetV1';
  feature_shape_by_input_size: Record<string, number[]>;
  conv_layer3_layer4?: Record<string, Record<'stride' | 'dilation' | 'padding', [number, number]>>;
}

const BACKBONES = {
  // Narrow, because shapes and dilations do not depend on the width.
  resnet18: (): TrackingBackbone => new ResNet18({ outputStride: 8, width: 4 }),
  resnet50: (): TrackingBackbone => new ResNet50({ outputStride: 8, width: 4 }),
  AlexNetV1: (): TrackingBackbone => new AlexNet(),
};

describe('the backbones of SiamFC', () => {
  for (const golden of readGolden<{ cases: ShapeCase[] }>('ccl/siamfc_backbone_shapes.json').cases) {
    test(`${golden.arch}: sizes of the feature map, strides and dilations`, () => {
      const backbone = BACKBONES[golden.arch]().eval();
      for (const [size, [, height, width]] of Object.entries(golden.feature_shape_by_input_size)) {
        noGrad(() =>
          scope(() => {
            const map = backbone.featureMap(zeros([1, 3, Number(size), Number(size)]));
            assert.deepEqual(map.shape, [1, backbone.features, height, width]);
          }),
        );
      }
      for (const [name, expected] of Object.entries(golden.conv_layer3_layer4 ?? {})) {
        const convolution = [...backbone.namedModules()].find(([path]) => path === name)?.[1];
        const { stride, dilation, padding } = (convolution as unknown as { geometry: typeof expected }).geometry;
        assert.deepEqual({ stride, dilation, padding }, expected, name);
      }
      backbone.dispose();
    });
  }

  test('the dilated network has the weights of the published one, under the same names', () => {
    const shapes = (network: ResNet18) => [...network.stateDict()].map(([key, { shape }]) => [key, shape]);
    assert.deepEqual(shapes(new ResNet18({ outputStride: 8, width: 4 })), shapes(new ResNet18({ width: 4 })));
  });
});

interface ResponseCase {
  case: string;
  out_scale: number;
  z: Nested;
  x: Nested;
  head?: Record<string, Nested>;
  response: Nested;
}

/** Gives the images back as features. */
class Same extends ResNet18 {
  constructor(override readonly features: number) {
    super({ width: 1 });
  }

  override featureMap(images: Tensor): Tensor {
    return images;
  }
}

for (const golden of readGolden<{ cases: ResponseCase[] }>('ccl/siamfc_xcorr.json').cases) {
  test(`the response ${golden.case}, pair by pair or one exemplar for all`, () => {
    scope(() => {
      const [z, x] = [tensor(golden.z), tensor(golden.x)];
      const { head } = golden;
      const network = new SiamFC(new Same(z.shape[1]!), {
        outScale: golden.out_scale,
        head: head ? (head['z_convs.0.weight'] as Nested[]).length : null,
        normalise: false,
      });
      if (head) {
        const names = { z_convs: 'exemplar_head', x_convs: 'search_head' };
        const weights = Object.entries(head).map(([key, values]): [string, Tensor] => {
          const [part, , rest] = key.split('.') as [keyof typeof names, string, string];
          return [`${names[part]}.${rest}`, tensor(values)];
        });
        network.loadStateDict(new Map(weights), { strict: false });
      }
      noGrad(() => assertClose(network.call(z, x), golden.response, { relative: 1e-5 }));
    });
  });
}

test('a frozen backbone keeps its batch statistics and gets no gradients', () => {
  const backbone = new ResNet18({ outputStride: 8, width: 2 });
  const network = new SiamFC(backbone, { head: 4, outScale: 0.01 }).train();
  const before = (backbone.bn1.runningMean as Tensor).toArray();
  scope(() => {
    const images = zeros([2, 3, 120, 120]).add(100);
    network.call(images, images).sum().backward();
    assert.deepEqual((backbone.bn1.runningMean as Tensor).toArray(), before);
    assert.ok(backbone.parameters().every(({ grad }) => grad === null));
    assert.ok(network.trainable().every(({ grad }) => grad !== null));
    assert.equal(network.trainable().length, 4);
  });
  assert.equal(new SiamFC(backbone, { outScale: 1, frozen: false }).trainable().length, backbone.parameters().length);
});
