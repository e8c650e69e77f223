import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { type Device, type nn, scope, type Tensor } from '@chronotope/torch';
import type { ClipLoader } from '../data/loader.js';
import { ChronotopeError } from '../errors.js';
import { TextEncoder } from '../language/text-features.js';
import { testLoader } from '../methods/clip/pipeline.js';
import { type TestSource, type TestViews, trainedMethod } from '../methods/trained-method.js';
import { Clip, FrameClip, loadClip } from '../models/clip/index.js';
import type { FrameSettings } from '../recipes/parts.js';
import { loadModel } from '../training/checkpoint.js';
import { finishedStage } from './chosen-weights.js';
import { RunFolder } from './run-folder.js';
import { runRecipe } from './run-recipe.js';
import { requireStages } from './trained-networks.js';

/** Videos and texts in one space: a run whose network has a text tower, or a file of CLIP weights. */
export interface LanguageModel {
  /** For people: the run or file. */
  name: string;
  /** Its text tower reads the words. */
  clip: Clip;
  /** What decides where videos lie in that space. */
  network: nn.Module;
  /** Keys of a file that a CLIP has no place for. */
  ignored: string[];
  encoder: TextEncoder;
  /** How videos are decoded for it. */
  frames: FrameSettings;
  loader(source: TestSource, views?: TestViews): ClipLoader;
  /** Clips `[N, 3, T, H, W]` of the loader to vectors `[N, E]`. */
  embed(clips: Tensor): Tensor;
  dispose(): void;
}

/** Frames of a video that a CLIP from a file sees, unless the user says otherwise. */
const FRAMES_OF_VIDEO = 8;

/**
 * Opens what can compare videos with words.
 *
 * @param source a run folder, or a file that {@link loadClip} reads
 * @param options.stage whose network of a run; default: the method's main one
 * @param options.device where it computes. Default `cpu`
 * @throws ChronotopeError `no-language` for a run whose network knows no words; those of `loadClip`, `stage-missing`
 */
export function openLanguageModel(
  source: string,
  { stage, device = 'cpu' }: { stage?: string; device?: Device } = {},
): LanguageModel {
  const isFile = statSync(source, { throwIfNoEntry: false })?.isFile();
  return isFile ? fromFile(source, device) : fromRun(source, stage, device);
}

function fromFile(file: string, device: Device): LanguageModel {
  const { clip, ignored } = loadClip(file);
  clip.to({ device });
  const { resolution } = clip.shape.image;
  const settings = { inputSize: resolution, seed: 1, evaluation: { clips: FRAMES_OF_VIDEO } };
  const frames = new FrameClip(clip.visual);
  return {
    name: file,
    clip: clip.eval(),
    network: clip,
    ignored,
    encoder: encoderOf(clip, file),
    // Four frames a second show what happens; all of a long video would fill the disk.
    frames: { shortSide: resolution, fps: 4, maxFrames: 1200, format: 'auto', budget: null },
    loader: (videos, views) => testLoader(settings, { ...videos, device }, views),
    embed: (clips) => frames.embed(clips),
    dispose: () => clip.dispose(),
  };
}

function fromRun(folder: string, wanted: string | undefined, device: Device): LanguageModel {
  const run = RunFolder.open(folder);
  const recipe = runRecipe(run);
  const method = trainedMethod(recipe);
  const stage = wanted ?? method.mainStage;
  requireStages(recipe, [stage]);
  const finished = finishedStage(run, method.folderName(stage, 0));
  const network = method.newNetwork(stage, run.description.classes.length);
  if (network.language === undefined) {
    network.module.dispose();
    throw new ChronotopeError('no-language', `${folder} is a run of ${recipe.method}, whose network knows no words`, {
      hint: 'Use a run of train clip, one of train lss that started from a CLIP, or a file of CLIP weights: docs/language.md.',
    });
  }
  const { clip: texts, embed } = network.language;
  let clip: Clip;
  try {
    loadModel(finished, network.module);
    network.module.eval().to({ device });
    clip = texts instanceof Clip ? texts : loadClip(texts.file).clip.to({ device });
  } catch (error) {
    network.module.dispose();
    throw error;
  }
  return {
    name: folder,
    clip,
    network: network.module,
    ignored: [],
    encoder: encoderOf(clip, folder),
    frames: recipe.frames,
    loader: (videos, views) => method.testLoader({ ...videos, device }, views),
    embed,
    dispose: () => {
      network.module.dispose();
      if (clip !== network.module) clip.dispose();
    },
  };
}

/** @throws ChronotopeError `vocabulary-mismatch` for weights that were trained with another vocabulary */
function encoderOf(clip: Clip, source: string): TextEncoder {
  const { vocabulary } = clip.shape.text;
  try {
    return new TextEncoder(clip);
  } catch (cause) {
    clip.dispose();
    if (!(cause instanceof ChronotopeError)) throw cause;
    throw new ChronotopeError(
      'vocabulary-mismatch',
      `the text tower of ${source} knows ${vocabulary} tokens, which CLIP's vocabulary has not`,
      { hint: 'These weights were trained with another tokenizer, and would take our tokens for other words.', cause },
    );
  }
}

/** Identifies the weights of a network: what was computed with it serves again only with the same ones. */
export function weightsHash(module: nn.Module): string {
  const hash = createHash('sha256');
  for (const [key, value] of module.stateDict()) {
    const { buffer, byteOffset, byteLength } = scope(() => value.to({ device: 'cpu' }).data() as Float32Array);
    hash.update(key).update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest('hex');
}
