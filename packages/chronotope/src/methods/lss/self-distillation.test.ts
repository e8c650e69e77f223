import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cat, noGrad, optim, randn, scope, type Tensor } from '@chronotope/torch';
import { assertClose, readGolden } from '../../testing/golden.js';
import { type GoldenTensor, goldenTensor } from '../../testing/golden-tensors.js';
import { tinyLss, tinySvt } from '../../testing/tiny-lss.js';
import { newSelfDistillation } from './pipeline.js';
import { acrossViews } from './self-distillation.js';

interface MultiCropCase {
  name: string;
  crop_shapes: number[][];
  per_crop_features: GoldenTensor[];
  backbone_call_shapes: number[][];
  output: GoldenTensor;
}

describe("views go through the network as in SVT's multi-crop forward pass", () => {
  for (const c of readGolden<{ cases: MultiCropCase[] }>('lss/multicrop.json').cases) {
    test(c.name, () =>
      scope(() => {
        // Each view holds its features where the stub network finds them.
        const views = c.per_crop_features.map((features, crop) => {
          const clips = goldenTensor(features).reshape([-1, 2, 1, 1, 1]);
          const [n, , ...size] = c.crop_shapes[crop]!;
          return clips.expand([n!, 2, ...size]).unsqueeze(0);
        });
        const calls: number[][] = [];
        const network = {
          call: (clips: Tensor) => {
            calls.push([clips.shape[0]!, 3, ...clips.shape.slice(2)]);
            return clips.select(4, 0).select(3, 0).select(2, 0);
          },
        };
        const output = acrossViews(network, views);
        assert.deepEqual(calls, c.backbone_call_shapes);
        assertClose(output.flatten({ startDim: 0, endDim: 1 }), c.output.data);
      }),
    );
  }
});

test("the teacher's average is that of SVT's code", () => {
  interface Ema {
    momentum: GoldenTensor;
    teacher_init: GoldenTensor;
    student: GoldenTensor[];
    teacher_after: GoldenTensor[];
  }
  scope(() => {
    const { ema } = readGolden<{ ema: Ema }>('lss/optim_ema.json');
    const teacher = goldenTensor(ema.teacher_init);
    for (const [step, student] of ema.student.entries()) {
      optim.updateAverages_([teacher], [goldenTensor(student)], ema.momentum.data[step]!);
      assertClose(teacher, ema.teacher_after[step]!.data, { relative: 1e-6 });
    }
  });
});

test('student and teacher begin alike; only the student has gradients; the teacher evaluates unless it drops paths', () => {
  scope(() => {
    const model = newSelfDistillation(tinyLss(), null);
    const [student, teacher] = [model.student.stateDict(), model.teacher.stateDict()];
    for (const [key, value] of student) assert.ok(teacher.get(key)!.equal(value), key);
    assert.ok(model.student.parameters().some(({ requiresGrad }) => requiresGrad));
    assert.ok(model.teacher.parameters().every(({ requiresGrad }) => !requiresGrad));
    model.train();
    assert.deepEqual([model.student.training, model.teacher.training], [true, false]);
    const svt = newSelfDistillation(tinySvt(), null).train();
    assert.equal(svt.teacher.backbone.training, true);
    // Both make one embedding of a clip, at both sizes of views.
    noGrad(() => {
      const clips = [randn([3, 3, 2, 16, 16]), randn([3, 3, 2, 8, 8])];
      assert.deepEqual([...cat(clips.map((clip) => model.call(clip))).shape], [6, 8]);
    });
  });
});

test('the state has everything that a continued run needs: both networks, concepts, centres, mean predictions', () => {
  scope(() => {
    const keys = [...newSelfDistillation(tinyLss(), null).stateDict().keys()];
    for (const part of [
      'student.backbone.visual.proj',
      'teacher.backbone.visual.proj',
      'spaces.category.axes',
      'spaces.category.center',
      'spaces.description.mean_prediction',
      'spaces.category_of',
    ]) {
      assert.ok(keys.includes(part), part);
    }
    assert.ok([...newSelfDistillation(tinySvt(), null).stateDict().keys()].includes('center'));
  });
});
