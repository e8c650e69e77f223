import { areaUnderCurve } from '../methods/timebalance/score-map.js';
import { RunFolder } from './run-folder.js';

/**
 * How well the temporal similarity scores of a run separate videos of steady classes from those of changing ones.
 *
 * @param changing names of the class folders whose videos change over time
 * @returns the area under the ROC curve, 1 when every steady video scores above every changing one
 */
export function similarityAreaUnderCurve(folder: string, changing: readonly string[]): number {
  const { scores } = RunFolder.open(folder).stage('similarity').result() as { scores: Record<string, number> };
  const entries = Object.entries(scores);
  const isChanging = (id: string) => changing.includes(id.split('/')[0]!);
  return areaUnderCurve(
    entries.filter(([id]) => !isChanging(id)).map(([, score]) => score),
    entries.filter(([id]) => isChanging(id)).map(([, score]) => score),
  );
}
