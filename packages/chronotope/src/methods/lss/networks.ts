import { manualSeed, nn, scope, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';
import { loadClip } from '../../models/clip/clip-weights.js';
import { FrameClip } from '../../models/clip/frame-clip.js';
import { DinoHead } from '../../models/dino-head.js';
import { ClipVideo } from '../../models/space-time/clip-video.js';
import { SpaceTimeViT } from '../../models/space-time/space-time-vit.js';
import { importWeights } from '../../models/weights/import-weights.js';
import { readWeights } from '../../models/weights/read-weights.js';
import { formatWeightsReport } from '../../models/weights/report.js';
import type { LssRecipe } from '../../recipes/lss.js';

type Backbone = ClipVideo | SpaceTimeViT;

/** Student or teacher: a backbone, and the head `dino` if there is one. The text head has no weights of its own. */
export class DistilledNetwork extends nn.Module {
  constructor(
    readonly backbone: Backbone,
    readonly head: DinoHead | null,
  ) {
    super();
  }

  /**
   * What views are compared by: outputs of the head; without one, embeddings in the space of the texts (`clip-video`) or
   * features. `[N, 3, T, S, S]` to `[N, E]`.
   */
  override forward(clips: Tensor): Tensor {
    const { backbone, head } = this;
    if (head) return head.call(backbone.pooled(clips));
    return backbone instanceof ClipVideo ? backbone.embed(clips) : backbone.pooled(clips);
  }
}

/** Size of what views are compared by when there is no learnt head. */
export function embeddingSize({ model }: LssRecipe): number {
  return model.backbone === 'clip-video' ? model.embedding : model.width;
}

/** A network of the recipe's shape with new weights. */
export function newNetwork(recipe: LssRecipe): DistilledNetwork {
  const { kind, outputs, layers, hidden, bottleneck } = recipe.head;
  const backbone = newBackbone(recipe);
  const head = kind === 'dino' ? new DinoHead(backbone.features, { outputs, layers, hidden, bottleneck }) : null;
  return new DistilledNetwork(backbone, head);
}

function newBackbone({ model, inputSize, clips }: LssRecipe): Backbone {
  const { width, depth, heads, patch, embedding, activation, attention, temporalStart, positions, dropPath } = model;
  const { frames } = clips;
  if (model.backbone === 'clip-video') {
    const shape = { width, heads, layers: depth, patch, resolution: inputSize };
    return new ClipVideo({ shape, embedding, activation, frames, attention, positions, temporalStart });
  }
  const size = inputSize;
  return new SpaceTimeViT({
    ...{ size, patch, width, depth, heads, frames, attention, positions, temporalStart, dropPath },
  });
}

/**
 * The image CLIP that a network before training was made of, for single frames; null where it was none. The image tower of
 * such a network is CLIP's, and what looks along time adds nothing to it yet.
 *
 * @param network of a run's stage `start`
 */
export function imageClipOf({ backbone }: DistilledNetwork, { model }: LssRecipe): FrameClip | null {
  if (!(backbone instanceof ClipVideo) || model.pretrained === null) return null;
  const { timeEmbed } = backbone;
  // The time embeddings of a video network have learnt something: its image tower is no CLIP any more.
  const isVideoNetwork = timeEmbed !== null && scope(() => timeEmbed.ne(0).any().item() !== 0);
  return isVideoNetwork ? null : new FrameClip(backbone.visual);
}

/** The network that a run starts from: the recipe's file of weights, or random ones. */
export function startNetwork(recipe: LssRecipe): DistilledNetwork {
  manualSeed(recipe.seed);
  const network = newNetwork(recipe);
  loadStart(network.backbone, recipe.model);
  return network;
}

/**
 * Says before a run starts whether the recipe's network can use its clips and its file of weights.
 *
 * @returns what is to be said of the file, or null without one
 * @throws ChronotopeError `clip-too-short`, `input-too-small`, `patch-size`, `weights-differ`, `not-clip`; TorchError `io`
 */
export function checkNetwork(recipe: LssRecipe): string | null {
  const backbone = newBackbone(recipe);
  const { model, clips, inputSize } = recipe;
  try {
    for (const size of [inputSize, clips.localSize]) backbone.checkClips({ frames: clips.frames, size });
    return loadStart(backbone, model);
  } finally {
    backbone.dispose();
  }
}

function loadStart(backbone: Backbone, { pretrained, temporalStart, heads }: LssRecipe['model']): string | null {
  if (pretrained === null) return null;
  const { report, isImageModel } =
    backbone instanceof ClipVideo ? loadClipStart(backbone, pretrained, heads) : loadViTStart(backbone, pretrained);
  if (isImageModel && temporalStart === 'zero') backbone.copySpaceToTime();
  return report;
}

/** What was loaded, for people, and whether attention over time is still to be started. */
interface LoadedStart {
  report: string;
  isImageModel: boolean;
}

/** An image CLIP goes into the image tower; a file of a video network fills all. */
function loadClipStart(backbone: ClipVideo, file: string, imageHeads: number): LoadedStart {
  const isVideoNetwork = scope(() => [...readWeights(file).tensors.keys()].some((key) => /temporal\.\d+\./.test(key)));
  if (isVideoNetwork) return { report: formatWeightsReport(importWeights(backbone, file)), isImageModel: false };
  // Only the image tower is used; how the text tower divides into heads need not be known.
  const { clip, format } = loadClip(file, { imageHeads, textHeads: 1 });
  try {
    scope(() => void backbone.visual.loadStateDict(clip.visual.stateDict()));
    return { report: `${file}: a CLIP with keys of ${format}; its image tower is loaded`, isImageModel: true };
  } catch (cause) {
    throw new ChronotopeError('weights-differ', `${file} does not fit the recipe: ${(cause as Error).message}`, {
      hint: 'Set model.width, depth, patch, embedding and inputSize to those of the CLIP, which chronotope weights shows.',
      cause,
    });
  } finally {
    clip.dispose();
  }
}

/** An image ViT fills what it has; a file of a video network all. */
function loadViTStart(backbone: SpaceTimeViT, file: string): LoadedStart {
  const report = importWeights(backbone, file, { require: 'any' });
  const isTemporal = (key: string) => /temporal|time_embed|timeattn|norm3/.test(key);
  const lacking = [...report.missing, ...report.mismatched.map(({ key }) => key)].filter((key) => !isTemporal(key));
  if (lacking.length > 0) {
    throw new ChronotopeError('weights-differ', `the weights do not fit the network\n${formatWeightsReport(report)}`, {
      hint: 'Set model.width, depth, patch and inputSize to those of the file.',
      details: { report },
    });
  }
  const isImageModel = report.missing.some((key) => key.includes('temporal_attn'));
  return { report: formatWeightsReport(report), isImageModel };
}
