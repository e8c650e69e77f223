import { existsSync } from 'node:fs';
import { type ConvolutionChoices, convolutionTuning, setConvolutionChoices, version } from '@chronotope/torch';
import { z } from 'zod';
import { ChronotopeError } from '../errors.js';
import { readJson, writeJsonAtomic } from './json-files.js';
import { shard } from './processes.js';
import type { Progress } from './progress.js';
import type { StageFolder } from './stage-folder.js';

const FORMAT = 'chronotope-convolutions';

const choicesFile = z.object({
  format: z.literal(FORMAT),
  libtorch: z.string(),
  choices: z.record(z.string(), z.string()),
});

/**
 * Switches on the measured convolutions for as long as a stage is trained. What was chosen earlier in this run is used
 * again, and a new choice is on the disk before it computes anything: so whatever state a kill leaves, going on from it
 * gives the bits of an undisturbed run. Each process measures for itself.
 *
 * @returns what switches them off again
 * @throws ChronotopeError `damaged-file` when the file of the choices is not one
 */
export function tuneConvolutions(stage: StageFolder, progress: Progress): () => void {
  const file = stage.convolutionsFile(shard().rank);
  const libtorch = version().torch;
  useChoices(file, choicesFor(libtorch, file, progress));
  convolutionTuning({
    enabled: true,
    onChoice: (choices) => writeJsonAtomic(file, { format: FORMAT, libtorch, choices }),
  });
  return () => {
    convolutionTuning({ enabled: false });
    setConvolutionChoices({});
  };
}

/** What was chosen before with the same libtorch. With another one no number repeats, and other algorithms may win. */
function choicesFor(libtorch: string, file: string, progress: Progress): ConvolutionChoices {
  if (!existsSync(file)) return {};
  const content = choicesFile.safeParse(readChoices(file));
  if (!content.success) throw damaged(file, 'it does not hold choices of convolution algorithms');
  if (content.data.libtorch === libtorch) return content.data.choices;
  progress.note(`convolutions are measured again: ${file} is from libtorch ${content.data.libtorch}`);
  return {};
}

function readChoices(file: string): unknown {
  try {
    return readJson(file);
  } catch (cause) {
    throw damaged(file, 'it is not JSON', cause);
  }
}

function useChoices(file: string, choices: ConvolutionChoices): void {
  try {
    setConvolutionChoices(choices);
  } catch (cause) {
    throw damaged(file, (cause as Error).message, cause);
  }
}

function damaged(file: string, problem: string, cause?: unknown): ChronotopeError {
  return new ChronotopeError('damaged-file', `${file} cannot be used: ${problem}`, {
    hint: 'Delete it: everything is measured again, and the weights may differ in their last bits from an undisturbed run.',
    cause,
  });
}
