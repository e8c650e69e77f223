import { cat, nn, stack, type Tensor } from '@chronotope/torch';
import type { PretextEmbeddings } from '../../losses/pretext.js';
import type { VideoBackbone } from '../../models/backbone.js';
import type { ProjectionHead } from '../../models/projection-head.js';

/**
 * Which clips share batch statistics: those of one position (`per-clip`, official: ten forward passes), or all clips of
 * the batch (`joint`: one pass, faster for small networks).
 */
export type ClipBatches = 'per-clip' | 'joint';

/** Backbone and projection head of stages A_I, A_D and A_S. */
export class PretextModel extends nn.Module {
  constructor(
    readonly backbone: VideoBackbone,
    readonly head: ProjectionHead,
    private readonly clipBatches: ClipBatches = 'per-clip',
  ) {
    super();
  }

  /**
   * Embeds the clips of B videos: global clips pooled and slice by slice, local clips pooled (TimeBalance, method
   * note 1).
   *
   * @param globals `[2, B, 3, T, S, S]`, by view
   * @param locals `[2, K, B, 3, T, S, S]`, by view and time
   */
  override forward(globals: Tensor, locals: Tensor): PretextEmbeddings {
    return this.clipBatches === 'joint' ? this.embedJointly(globals, locals) : this.embedClipByClip(globals, locals);
  }

  private embedClipByClip(globals: Tensor, locals: Tensor): PretextEmbeddings {
    const global = globals.unbind().map((clip) => this.head.slices(this.backbone.call(clip)));
    const local = locals
      .flatten({ startDim: 0, endDim: 1 })
      .unbind()
      .map((clip) => this.head.pooled(this.backbone.call(clip)));
    return {
      globals: stack(global.map(({ pooled }) => pooled)),
      slices: stack(global.map(({ slices }) => stack(slices, { dim: 1 }))),
      locals: this.byVideo(stack(local), locals.shape[1]!),
    };
  }

  private embedJointly(globals: Tensor, locals: Tensor): PretextEmbeddings {
    const [times, videos] = [locals.shape[1]!, locals.shape[2]!];
    const clips = cat([globals.flatten({ startDim: 0, endDim: 1 }), locals.flatten({ startDim: 0, endDim: 2 })]);
    const features = this.backbone.call(clips);
    const globalFeatures = features.narrow(0, 0, 2 * videos);
    const slices = globalFeatures.shape[2]!;
    const bySlice = globalFeatures.flatten({ startDim: 2 }).permute([0, 2, 1]).flatten({ startDim: 0, endDim: 1 });
    const local = this.head.pooled(features.narrow(0, 2 * videos, 2 * times * videos));
    return {
      globals: this.head.pooled(globalFeatures).reshape([2, videos, -1]),
      slices: this.head.project(bySlice).reshape([2, videos, slices, -1]),
      locals: this.byVideo(local.reshape([2 * times, videos, -1]), times),
    };
  }

  /** `[2K, B, D]` → `[2, B, K, D]` */
  private byVideo(local: Tensor, times: number): Tensor {
    return local.reshape([2, times, local.shape[1]!, -1]).permute([0, 2, 1, 3]);
  }
}
