import type { Device, nn, Tensor } from '@chronotope/torch';
import type { ClipReader } from '../data/clip-reader.js';
import type { ClipLoader } from '../data/loader.js';
import type { ManifestEntry } from '../data/manifest.js';
import type { VideoBackbone } from '../models/backbone.js';
import type { Clip } from '../models/clip/clip.js';
import type { WeightsFormat } from '../models/weights/layouts.js';
import type { VideoRecipe } from '../recipes/schemas.js';
import type { PartOfStage } from '../training/checkpoint.js';
import { trainedCcl } from './ccl/trained-ccl.js';
import { trainedClip } from './clip/trained-clip.js';
import type { FineTuning } from './fine-tuning.js';
import { trainedFrames } from './frames/trained-frames.js';
import { trainedLss } from './lss/trained-lss.js';
import { trainedTimeBalance } from './timebalance/trained-timebalance.js';

/** How many clips of a test video, and how many crops of each clip, are averaged. */
export interface TestViews {
  /** By default the recipe's. */
  clips?: number;
  /** 1: the recipe's own crop (default). 3: the squares at both ends and in the middle. */
  crops?: 1 | 3;
}

/** Videos, and where their clips come from. */
export interface TestSource {
  entries: readonly ManifestEntry[];
  classes: readonly string[];
  reader: ClipReader;
  /** Where the clips go. Default `cpu`. */
  device?: Device;
}

/** A network, and the part of it whose features are of use elsewhere. */
export interface TrainedNetwork {
  module: nn.Module;
  backbone: VideoBackbone;
  /** Only where videos and words share a space. */
  language?: VideoLanguage;
  /** What goes to other programs, where that is not all of the module. */
  exported?: nn.Module;
  officialCheckpoint?: OfficialCheckpoint;
}

/** The part of a network that compares videos with words. */
export interface VideoLanguage {
  /** The CLIP whose text tower reads the words: this network's own, or the file of weights that the run started from. */
  clip: Clip | { file: string };
  /** Clips `[N, 3, T, H, W]` of the method's test loader to vectors in the space of the texts, `[N, E]`. */
  embed(clips: Tensor): Tensor;
}

/** A whole training as the official program writes it into a checkpoint. */
export interface OfficialCheckpoint {
  /** The format of its weights. */
  format: WeightsFormat;
  content: () => { epoch: number; arch: string; state_dict: Map<string, Tensor> };
}

/** What the rest of the program must know of a method to use what its runs have learnt: features, weights. */
export interface TrainedMethod {
  /** The stages that leave a network, in the order of training. */
  readonly stages: readonly string[];
  /** What a stage's network is, for people. */
  title(stage: string): string;
  /** The one whose network is wanted when none is named. */
  readonly mainStage: string;
  /** Whether all label draws of a run share the stage, because it needs no labels. */
  isShared(stage: string): boolean;
  /** The name of a stage's folder in a label draw, counted from 0. */
  folderName(stage: string, draw: number): string;
  /** What a stage's network is trained as a part of, where that is not the stage itself. */
  trainedIn?(stage: string): PartOfStage | undefined;
  /** A network of the shape that the stage trains, to be disposed by the caller. */
  newNetwork(stage: string, classes: number): TrainedNetwork;
  /** A loader of test clips, as the method's networks want them. */
  testLoader(source: TestSource, views?: TestViews): ClipLoader;
  /** How its backbones are fine-tuned on labels, to see what they are worth as a start. */
  fineTuning(): FineTuning;
}

/** The method of a recipe, as the recipe sets it. */
export function trainedMethod(recipe: VideoRecipe): TrainedMethod {
  switch (recipe.method) {
    case 'timebalance':
      return trainedTimeBalance(recipe);
    case 'clip':
      return trainedClip(recipe);
    case 'lss':
      return trainedLss(recipe);
    case 'ccl':
      return trainedCcl(recipe);
    case 'frames':
      return trainedFrames(recipe);
  }
}
