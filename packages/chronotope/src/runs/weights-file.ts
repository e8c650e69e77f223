import { existsSync } from 'node:fs';
import { ChronotopeError } from '../errors.js';
import { RunFolder } from './run-folder.js';

/**
 * The file that a name of weights means: a file, or the network of a run's stage as `runs/mine:student`.
 *
 * @throws ChronotopeError `weights-missing`
 */
export function weightsFile(name: string): string {
  const separator = name.lastIndexOf(':');
  const [folder, stage] = [name.slice(0, separator), name.slice(separator + 1)];
  const isStage = separator > 0 && existsSync(folder) && !existsSync(name);
  const file = isStage ? RunFolder.open(folder).stage(stage).modelFile : name;
  if (existsSync(file)) return file;
  throw new ChronotopeError('weights-missing', isStage ? `${folder} has no stage "${stage}"` : `there is no ${name}`, {
    hint: 'Give a file of weights, or a run folder and the name of one of its stages, such as runs/mine:student.',
  });
}
