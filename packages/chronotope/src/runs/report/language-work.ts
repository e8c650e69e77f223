import type { ClassifierResults } from '../../explain/content.js';
import type { CaptionResults, Recogniser } from '../../explain/language/content.js';
import { trainedMethod } from '../../methods/trained-method.js';
import type { ClipRecipe } from '../../recipes/clip.js';
import type { LssRecipe } from '../../recipes/lss.js';
import type { Progress } from '../../training/progress.js';
import type { RunFolder } from '../run-folder.js';
import type { LabelledVideos } from '../test-videos.js';

/** What the tests of a run of CLIP or LSS work with. */
export interface LanguageWork {
  run: RunFolder;
  recipe: ClipRecipe | LssRecipe;
  /** The test videos. */
  videos: LabelledVideos;
  progress: Progress;
  signal?: AbortSignal;
}

/** What some networks say of the test videos. */
export interface Recognised {
  recogniser: Recogniser;
  /** In the order of training, those of the image CLIP first. */
  classifiers: ClassifierResults[];
  /** The test videos that all of them could see. */
  ids: string[];
  /** Of each network that knows words, where test videos have sentences. */
  captions: CaptionResults[];
}

/** What one network says of the test videos that it could see. */
export interface Answers extends Omit<ClassifierResults, 'draws'> {
  /** Class probabilities, by the id of the video. */
  of: ReadonlyMap<string, Float32Array>;
  captions?: Omit<CaptionResults, 'title'> | null;
}

/** Brings the answers of several networks together: a video that is too short for a clip of one still has frames for another. */
export function recognised(answers: readonly Answers[], recogniser: Recogniser): Recognised {
  const ids = [...answers[0]!.of.keys()].filter((id) => answers.every(({ of }) => of.has(id)));
  const classifiers = answers.map(({ stage, title, role, of }) => {
    return { stage, title, role, draws: [ids.map((id) => of.get(id)!)] };
  });
  const captions = answers.flatMap(({ title, captions }) => (captions ? [{ title, ...captions }] : []));
  return { recogniser, classifiers, ids, captions };
}

/** Frames of a video that an image CLIP sees, where they are averaged. */
export const IMAGE_FRAMES = 8;

/** The network that gains are counted from: the CLIP that the run started from, on single frames. */
export const IMAGE_CLIP = `image CLIP, mean of ${IMAGE_FRAMES} frames`;

/** What a stage is to the colours of a chart. */
export function roleOf(stage: string): ClassifierResults['role'] {
  return stage === 'start' ? 'baseline' : stage === 'student' ? 'student' : 'teacher';
}

/** What a stage's network is, beside the image CLIP. */
export function titleOf(recipe: ClipRecipe | LssRecipe, stage: string): string {
  return stage === 'start' ? 'this network before training' : trainedMethod(recipe).title(stage);
}
