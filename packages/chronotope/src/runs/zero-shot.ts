import { scope, type Tensor } from '@chronotope/torch';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { type CrossModalResult, counterpartRanks, summariseRanks } from '../evaluation/cross-modal.js';
import { type Accuracy, accuracy, type VideoPrediction } from '../evaluation/video-level.js';
import { type ViewAverage, viewProbabilities, zeroShotProbabilities } from '../evaluation/zero-shot.js';
import { spokenName } from '../language/class-names.js';
import type { Concept } from '../language/concept-file.js';
import { classDirections } from '../language/concept-space.js';
import { fillTemplates } from '../language/templates.js';
import { silentProgress } from '../training/progress.js';
import { chosenDevice, type DeviceChoice } from './device.js';
import { type LanguageModel, openLanguageModel } from './language-model.js';
import { readVideos } from './training-data.js';
import { type EmbedEntriesOptions, embedEntries, type VideoVectors, viewRows } from './video-vectors.js';

/** Settings of {@link zeroShot} and {@link retrieveByCaption}. */
export interface LanguageOptions extends Partial<EmbedEntriesOptions> {
  /** Whose network of a run; default: the method's main one. */
  stage?: string;
  /** Where it computes. Default `auto`: on a GPU if there is one. */
  device?: DeviceChoice;
}

/** Settings of {@link zeroShot}. */
export interface ZeroShotOptions extends LanguageOptions {
  /** Prompts with `{}` for the name of a class. */
  templates: readonly string[];
  /** Descriptions of the classes, which then count as much as their names; of more classes than the data have, if need be. */
  concepts?: readonly Concept[];
  /** What is averaged over the clips and crops of a video. Default `directions`. */
  average?: ViewAverage;
}

/** How well videos are recognised from the names of the classes alone, or from names and descriptions. */
export interface ZeroShotResult extends Accuracy {
  /** The classes in the order of the confusion matrix. */
  classes: string[];
  /** The prompts of the first class, as an example. */
  prompts: string[];
  /** What was averaged over the clips and crops of a video. */
  average: ViewAverage;
  excluded: { id: string; reason: string }[];
}

/**
 * Recognises labelled videos by the names of their classes. Test videos are used where there are any, else all that have
 * a label.
 *
 * @param source a run with a text tower, or a file of CLIP weights
 * @param data a folder of videos, a manifest or a list
 * @throws ChronotopeError `no-labels`, `concepts-incomplete` where a class is not among `concepts`, those of `openLanguageModel` and `readDataset`
 */
export async function zeroShot(
  source: string,
  data: string,
  { templates, concepts, stage, device, average = 'directions', ...options }: ZeroShotOptions,
): Promise<ZeroShotResult> {
  const { entries, classes } = await readVideos(data);
  const labelled = testPart(entries.filter(({ label }) => label !== null));
  if (labelled.length === 0) {
    throw new ChronotopeError('no-labels', `${data} has no labelled videos to compare with`, {
      hint: 'To get labels proposed instead, use chronotope label.',
    });
  }
  const truth = new Map(labelled.map(({ id, label }) => [id, classes.indexOf(label!)]));
  const described = conceptsOf(classes, concepts);
  return withModel(source, { stage, device }, async (model) => {
    const directions = scope(() => classDirections(described, model.encoder, templates));
    const settings = { scale: scaleOf(model), average };
    const rowsOf = (views: Tensor) => viewProbabilities(views, directions, settings);
    const seen = { progress: silentProgress, ...options };
    const { ids, rows, excluded } = await viewRows(model, labelled, rowsOf, seen).finally(() => directions.dispose());
    const predictions = scope(() => predictionsOf(ids, rows));
    rows.dispose();
    const prompts = [...fillTemplates(templates, described[0]!.name), ...described[0]!.descriptions];
    return { ...accuracy(predictions, truth, classes), classes, prompts, average, excluded };
  });
}

/** The classes in words, with their descriptions where `concepts` are given. */
function conceptsOf(classes: readonly string[], concepts: readonly Concept[] | undefined): Concept[] {
  const names = classes.map(spokenName);
  if (concepts === undefined) return names.map((name) => ({ name, descriptions: [] }));
  const known = new Map(concepts.map((concept) => [concept.name, concept]));
  const missing = names.filter((name) => !known.has(name));
  if (missing.length > 0) {
    throw new ChronotopeError('concepts-incomplete', `the concepts lack classes of the data: ${missing.join(', ')}`, {
      hint: 'Add them to a file of your own; docs/language.md says how such files look.',
    });
  }
  return names.map((name) => known.get(name)!);
}

/** How well captions find their videos, and videos their captions. */
export interface CaptionRetrieval {
  videos: number;
  textToVideo: CrossModalResult;
  videoToText: CrossModalResult;
  excluded: { id: string; reason: string }[];
}

/**
 * Finds the videos of a data set by their captions and the captions by their videos. Test videos are used where there are
 * any with a caption. Videos with the same caption count as right for each other.
 *
 * @throws ChronotopeError `no-captions`, those of `openLanguageModel` and `readDataset`
 */
export async function retrieveByCaption(
  source: string,
  data: string,
  { stage, device, ...options }: LanguageOptions = {},
): Promise<CaptionRetrieval> {
  const { entries } = await readVideos(data);
  const captioned = testPart(entries.filter(({ text }) => text !== undefined));
  if (captioned.length === 0) {
    throw new ChronotopeError('no-captions', `${data} has no videos with a caption`, {
      hint: 'Write sentences into captions.jsonl beside the class folders, or give a list with a column text.',
    });
  }
  const captionOf = new Map(captioned.map(({ id, text }) => [id, text!]));
  return withModel(source, { stage, device }, async (model) => {
    const { ids, vectors, excluded } = await embedEntries(model, captioned, { progress: silentProgress, ...options });
    const found = scope(() =>
      compareCaptions(
        model,
        vectors,
        ids.map((id) => captionOf.get(id)!),
      ),
    );
    vectors.dispose();
    return { videos: ids.length, ...found, excluded };
  });
}

/** How well captions find the videos `[V, E]` that they belong to, in the same order, and the other way round. */
export function compareCaptions(
  { encoder }: LanguageModel,
  videos: Tensor,
  captions: readonly string[],
): Pick<CaptionRetrieval, 'textToVideo' | 'videoToText'> {
  const keys = { queries: captions, items: captions };
  const texts = encoder.encode(captions);
  return {
    textToVideo: summariseRanks(counterpartRanks(texts, videos, keys)),
    videoToText: summariseRanks(counterpartRanks(videos, texts, keys)),
  };
}

/**
 * Opens a model for `use`, and frees it afterwards.
 *
 * @throws ChronotopeError `no-gpu`; those of `openLanguageModel`
 */
export async function withModel<T>(
  source: string,
  { stage, device }: Pick<LanguageOptions, 'stage' | 'device'>,
  use: (model: LanguageModel) => Promise<T>,
): Promise<T> {
  const model = openLanguageModel(source, { stage, device: chosenDevice(device) });
  try {
    return await use(model);
  } finally {
    model.dispose();
  }
}

/** Class probabilities of videos, from the names of the classes and their descriptions, if any. Call it inside a scope. */
export function predict(
  model: LanguageModel,
  { ids, vectors }: Pick<VideoVectors, 'ids' | 'vectors'>,
  concepts: readonly Concept[],
  templates: readonly string[],
): VideoPrediction[] {
  const classes = classDirections(concepts, model.encoder, templates);
  return predictionsOf(ids, zeroShotProbabilities(vectors, classes, scaleOf(model)));
}

/** @param probabilities `[V, C]` */
function predictionsOf(ids: readonly string[], probabilities: Tensor): VideoPrediction[] {
  return ids.map((id, row) => ({ id, probabilities: probabilities.select(0, row).data() as Float32Array }));
}

/** What the model has learnt to multiply cosines by. */
function scaleOf({ clip }: LanguageModel): number {
  return Math.exp(clip.logitScale.item());
}

function testPart(entries: readonly ManifestEntry[]): ManifestEntry[] {
  const test = entries.filter(({ split }) => split === 'test');
  return test.length > 0 ? test : [...entries];
}
