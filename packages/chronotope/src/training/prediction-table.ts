import path from 'node:path';
import { loadSafetensors, saveSafetensors, scope, type Tensor, tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import type { StageFolder } from './stage-folder.js';

const FORMAT = 'chronotope-predictions-1';

/** What a classifier says of videos, computed once. */
export interface PredictionTable {
  /** The row of each video. */
  rows: ReadonlyMap<string, number>;
  /** float32 `[V, C]`, to be disposed by whoever loaded the table. */
  probabilities: Tensor;
}

/** Writes class probabilities of videos into a stage's folder, atomically. */
export function savePredictions(
  stage: StageFolder,
  predictions: readonly { id: string; probabilities: Float32Array }[],
): void {
  const classes = predictions[0]?.probabilities.length ?? 0;
  const values = new Float32Array(predictions.length * classes);
  for (const [row, { probabilities }] of predictions.entries()) values.set(probabilities, row * classes);
  const metadata = { format: FORMAT, ids: JSON.stringify(predictions.map(({ id }) => id)) };
  scope(() => {
    const probabilities = tensor(values, { shape: [predictions.length, classes] });
    saveSafetensors(fileOf(stage), { probabilities }, { metadata });
  });
}

/**
 * Reads what {@link savePredictions} wrote.
 *
 * @throws ChronotopeError `damaged-file` when the file is another one; TorchError `io` when it is damaged
 */
export function loadPredictions(stage: StageFolder): PredictionTable {
  const file = fileOf(stage);
  const { tensors, metadata } = loadSafetensors(file);
  if (metadata.format !== FORMAT) {
    throw new ChronotopeError('damaged-file', `${file} does not hold predictions`, {
      hint: 'Delete its folder to do that part of the run again.',
    });
  }
  const ids = JSON.parse(metadata.ids!) as string[];
  return { rows: new Map(ids.map((id, row) => [id, row])), probabilities: tensors.get('probabilities')! };
}

function fileOf(stage: StageFolder): string {
  return path.join(stage.folder, 'predictions.safetensors');
}
