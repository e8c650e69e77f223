/** The values in golden/models/torchvision.json are torchvision's, see scripts/golden/torchvision_models.py. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type nn, noGrad, scope, type Tensor } from '@chronotope/torch';
import { assertClose, type Nested, readGolden } from '../testing/golden.js';
import { hashFill, hashInput, hashTensor } from '../testing/hash-fill.js';
import type { VideoBackbone } from './backbone.js';
import { Classifier } from './classifier.js';
import { ResNet18, ResNet50 } from './image-resnet.js';
import { type FourDepths, MC3D18, R2Plus1D18, R3D18 } from './video-resnet.js';

interface Golden {
  salt: number;
  runs: {
    name: string;
    width: number;
    depths: FourDepths;
    inputShape: number[];
    mapShape: number[];
    logitsInEvaluation: number[][];
    logitsInTraining: number[][];
    gradInputNorm: number;
    gradInputFirst: number[];
    gradNorms: Record<string, number>;
    runningMeanAfter: Record<string, number[]>;
  }[];
  published: { name: string; state: [string, number[]][] }[];
}

const golden = readGolden<Golden>('models/torchvision.json');

interface Form {
  width?: number;
  depths?: FourDepths;
}

type Network = nn.Module & { forward(x: Tensor): Tensor };

const video =
  (backbone: (form: Form) => VideoBackbone) =>
  (classes: number, form: Form = {}): Network =>
    new Classifier(backbone(form), classes, { dropout: 0 });

/** Each network with a classifier, published or narrow. */
const NETWORKS: Record<string, (classes: number, form?: Form) => Network> = {
  'r3d18 strided': video((form) => new R3D18({ ...form, lastStage: 'strided' })),
  'r3d18 dilated': video((form) => new R3D18(form)),
  'r2plus1d18 strided': video((form) => new R2Plus1D18({ ...form, lastStage: 'strided' })),
  'r2plus1d18 dilated': video((form) => new R2Plus1D18(form)),
  'mc3-18': video((form) => new MC3D18(form)),
  resnet18: (classes, form) => new ResNet18({ ...form, classes }),
  resnet50: (classes, form) => new ResNet50({ ...form, classes }),
};

const torchvisionKey = (key: string) => key.replace(/^backbone\./, '');

for (const { name, state } of golden.published) {
  test(`${name} has torchvision's keys, order and shapes`, () => {
    scope(() => {
      const network = NETWORKS[name]!(state.at(-1)![1][0]!);
      assert.deepEqual(
        [...network.stateDict()].map(([key, { shape }]) => [torchvisionKey(key), [...shape]]),
        state,
      );
      network.dispose();
    });
  });
}

for (const run of golden.runs) {
  test(`${run.name}: logits, gradients and running statistics are torchvision's`, () => {
    scope(() => {
      const network = NETWORKS[run.name]!(5, run);
      hashFill(network, golden.salt, torchvisionKey);
      const input = hashInput('input', golden.salt, run.inputShape).requiresGrad_(true);
      assertSame(
        noGrad(() => network.eval().call(input)),
        run.logitsInEvaluation,
        'logits in evaluation',
      );

      const logits = network.train().call(input);
      assertSame(logits, run.logitsInTraining, 'logits in training');
      logits
        .mul(hashTensor('probe', golden.salt, logits.shape))
        .sum()
        .backward();
      assertSame(input.grad!.norm(), run.gradInputNorm, 'norm of the input gradient');
      assertClose(input.grad!.flatten().narrow(0, 0, 8), run.gradInputFirst, {
        absolute: 1e-4 * run.gradInputNorm,
        what: 'input gradient',
      });
      for (const [key, parameter] of network.namedParameters()) {
        const expected = run.gradNorms[torchvisionKey(key)]!;
        assertClose(parameter.grad!.norm(), expected, { relative: 1e-3, absolute: 1e-5, what: `gradient of ${key}` });
      }
      const buffers = new Map([...network.namedBuffers()].map(([key, buffer]) => [torchvisionKey(key), buffer]));
      for (const [key, first] of Object.entries(run.runningMeanAfter)) {
        assertSame(buffers.get(key)!.narrow(0, 0, first.length), first, key);
      }
      network.dispose();
    });
  });
}

test('checkClips refuses exactly the clips whose feature map has too few steps, as forward does', () => {
  const narrow = { width: 1, depths: [1, 1, 1, 1] as const };
  scope(() => {
    const networks: VideoBackbone[] = [
      new R3D18({ ...narrow, slices: 2 }),
      new R3D18({ ...narrow, slices: 2, lastStage: 'strided' }),
      new R2Plus1D18({ ...narrow, slices: 3 }),
      new MC3D18({ ...narrow, slices: 5 }),
    ];
    for (const network of networks) {
      network.eval();
      for (let frames = 1; frames <= 17; frames++) {
        const steps = noGrad(() => network.featureMap(hashInput('clip', 1, [1, 3, frames, 16, 16])).shape[2]!);
        const check = () => network.checkClips({ frames, size: 16 });
        if (steps >= network.slices) assert.doesNotThrow(check);
        else assert.throws(check, { code: 'clip-too-short' });
      }
      assert.throws(() => network.checkClips({ frames: 17, size: 15 }), {
        code: 'input-too-small',
        message: /15 x 15/,
      });
      network.dispose();
    }
  });
});

test('a network prints as its tree', () => {
  const network = new R2Plus1D18({ width: 2, depths: [1, 1, 1, 1] });
  const lines = network.toString().split('\n');
  assert.equal(lines[0], 'R2Plus1D18(');
  assert.ok(lines.some((line) => /^ {2}\(layer4\): Sequential\($/.test(line)));
  assert.ok(lines.some((line) => line.includes('Conv3d(8, 16, kernel_size=(3, 3, 3), stride=(1, 2, 2)')));
  network.dispose();
});

function assertSame(actual: Tensor, expected: Nested, what: string): void {
  assertClose(actual, expected, { relative: 2e-4, what });
}
