import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildFrameStore } from '@chronotope/video';
import { ClipReader } from '../data/clip-reader.js';
import { predictVideos } from '../evaluation/predict-videos.js';
import { topClasses } from '../evaluation/video-level.js';
import { newClassifier } from '../methods/timebalance/networks.js';
import { testLoader } from '../methods/timebalance/run.js';
import { type ClassifierStage, stageName } from '../methods/timebalance/stages.js';
import { loadModel } from '../training/checkpoint.js';
import { chosenDevice, type DeviceChoice } from './device.js';
import { RunFolder } from './run-folder.js';
import { classifierRecipe } from './run-recipe.js';
import { finishedStage, requireStages } from './trained-networks.js';

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
  const model = newClassifier(recipe, classes.length, { dropout: 0 });
  loadModel(finishedStage(run, stageName(0, stage)), model);
  model.to({ device });

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
    const usable = videos.filter(({ id }) => !results.has(id));
    if (usable.length > 0) {
      const entries = usable.map(({ id, path }) => ({ id, path, label: null, split: 'test' as const }));
      const reader = new ClipReader(report.store);
      const loader = testLoader(recipe, { entries, classes, reader, device });
      for (const { id, reason } of loader.excluded) {
        results.set(id, { file: id, error: { code: 'too-short', message: reason } });
      }
      for (const { id, probabilities } of predictVideos(model, loader)) {
        results.set(id, { file: id, classes: topClasses(probabilities, classes, classes.length) });
      }
      for (const { id, reason } of loader.damaged) {
        results.set(id, { file: id, error: { code: 'frames-damaged', message: reason } });
      }
      reader.dispose();
    }
    model.dispose();
    return files.map((file) => results.get(file)!);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
