import { cat, nn, type Tensor, zeros } from '@chronotope/torch';
import type { ConceptSpaces } from './concept-spaces.js';
import type { DistilledNetwork } from './networks.js';

/**
 * All that a run of LSS or SVT changes: the student, its teacher, and what the losses remember (centres, mean
 * predictions). One module, so that a state that is saved holds everything a continued run needs.
 */
export class SelfDistillation extends nn.Module {
  /** `[K]`, centre of the outputs of the head `dino`; null with another head. */
  readonly center: Tensor | null;

  /** @param options.teacherDropPath the teacher leaves out branches as the student does, instead of evaluating */
  constructor(
    readonly student: DistilledNetwork,
    readonly teacher: DistilledNetwork,
    readonly spaces: ConceptSpaces | null,
    private readonly options: { teacherDropPath: boolean },
  ) {
    super();
    const outputs = student.head?.outputs;
    this.center = outputs === undefined ? null : this.registerBuffer('center', zeros([outputs]));
    teacher.requiresGrad_(false);
  }

  override train(mode = true): this {
    super.train(mode);
    if (!this.options.teacherDropPath) this.teacher.eval();
    return this;
  }

  /** What the student says of clips `[N, 3, T, S, S]`. */
  override forward(clips: Tensor): Tensor {
    return this.student.call(clips);
  }
}

/**
 * What a network says of several views: neighbours whose clips have one size and length are one batch (SVT's multi-crop
 * forward pass).
 *
 * @param views `[k, B, 3, T, S, S]` each, k views of B videos, in the order of the views
 * @returns `[V, B, E]`
 */
export function acrossViews(network: { call(clips: Tensor): Tensor }, views: readonly Tensor[]): Tensor {
  const [, videos] = views[0]!.shape as [number, number];
  const outputs = batchesOf(views).map((batch) => {
    const clips = batch.map((view) => view.flatten({ startDim: 0, endDim: 1 }));
    return network.call(clips.length === 1 ? clips[0]! : cat(clips));
  });
  const rows = outputs.length === 1 ? outputs[0]! : cat(outputs);
  return rows.reshape([-1, videos, rows.shape[1]!]);
}

/** Runs of neighbours with clips of one shape. */
function batchesOf(views: readonly Tensor[]): Tensor[][] {
  const shapeOf = (view: Tensor) => view.shape.slice(2).join();
  const batches: Tensor[][] = [];
  for (const view of views) {
    const last = batches.at(-1);
    if (last && shapeOf(last[0]!) === shapeOf(view)) last.push(view);
    else batches.push([view]);
  }
  return batches;
}
