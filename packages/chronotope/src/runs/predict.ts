import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildFrameStore } from '@chronotope/video';
import { ClipReader } from '../data/clip-reader.js';
import type { ClipLoader, ExcludedVideo } from '../data/loader.js';
import { ChronotopeError } from '../errors.js';
import { predictVideos } from '../evaluation/predict-videos.js';
import { topClasses } from '../evaluation/video-level.js';
import { testLoader } from '../methods/timebalance/run.js';
import type { ClassifierStage } from '../methods/timebalance/stages.js';
import type { Classifier } from '../models/classifier.js';
import { chosenDevice, type DeviceChoice } from './device.js';
import { RunFolder } from './run-folder.js';
import { classifierRecipe } from './run-recipe.js';
import { requireStages, withClassifier } from './trained-networks.js';

/** What the recogniser says of one file. */
export type FilePrediction =
  | { file: string; classes: { name: string; confidence: number }[] }
  | { file: string; error: { code: string; message: string; hint?: string } };

/**
 * Recognises the action in video files with a trained run.
 *
 * A file that can't be used gives an `error` entry; the others are predicted all the same.
 *
 * @param options.stage which classifier of the first label draw; by default the student
 * @param options.device where it computes. Default `auto`: on a GPU if there is one
 * @throws ChronotopeError `no-gpu`, `stage-unknown`, `stage-missing`, `not-a-run-folder`
 */
export async function predictFiles(
  folder: string,
  files: readonly string[],
  options: { stage?: ClassifierStage; device?: DeviceChoice; signal?: AbortSignal } = {},
): Promise<FilePrediction[]> {
  const device = chosenDevice(options.device);
  const run = RunFolder.open(folder);
  const { classes } = run.description;
  const recipe = classifierRecipe(run);
  const stage = options.stage ?? 'student';
  requireStages(recipe, [stage]);
  const temporary = mkdtempSync(path.join(tmpdir(), 'chronotope-predict-'));
  try {
    const { shortSide, fps, maxFrames } = recipe.frames;
    const frames = { shortSide, fps: fps ?? undefined, maxFrames };
    const videos = [...new Set(files)].map((file) => ({ id: file, path: file }));
    const report = await buildFrameStore(temporary, videos, { ...frames, format: 'raw', signal: options.signal });
    const results = new Map<string, FilePrediction>();
    for (const { id, code, reason, hint } of report.failed) {
      results.set(id, { file: id, error: { code, message: reason, hint } });
    }
    const entries = videos
      .filter(({ id }) => !results.has(id))
      .map(({ id, path }) => ({ id, path, label: null, split: 'test' as const }));
    const reader = new ClipReader(report.store);
    try {
      const found = withClassifier(run, recipe, { stage, draw: 0 }, (model) =>
        predictDecoded(model.to({ device }), () => testLoader(recipe, { entries, classes, reader, device }), classes),
      );
      for (const result of found) results.set(result.file, result);
    } finally {
      reader.dispose();
    }
    return files.map((file) => results.get(file)!);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** What the classifier says of decoded files, and what is wrong with those that it can't be asked about. */
function predictDecoded(model: Classifier, openLoader: () => ClipLoader, classes: readonly string[]): FilePrediction[] {
  const failures = (code: string, videos: readonly ExcludedVideo[]): FilePrediction[] =>
    videos.map(({ id, reason }) => ({ file: id, error: { code, message: reason } }));
  try {
    const loader = openLoader();
    const predictions = predictVideos(model, loader);
    return [
      ...predictions.map(({ id, probabilities }) => ({
        file: id,
        classes: topClasses(probabilities, classes, classes.length),
      })),
      ...failures('too-short', loader.excluded),
      ...failures('frames-damaged', loader.damaged),
    ];
  } catch (error) {
    if (!(error instanceof ChronotopeError) || error.code !== 'no-usable-videos') throw error;
    const { tooShort, damaged } = error.details as Record<'tooShort' | 'damaged', ExcludedVideo[]>;
    return [...failures('too-short', tooShort), ...failures('frames-damaged', damaged)];
  }
}
