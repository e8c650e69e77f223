import { ChronotopeError } from '../errors.js';
import { type ClipFormat, saveClip } from '../models/clip/index.js';
import { openLanguageModel } from './language-model.js';

/**
 * Rewrites the CLIP of a run or a file in float32; see `loadClip` and `saveClip`.
 *
 * @param source a run with a text tower, or a file of CLIP weights
 * @param out `.pth` or `.pt` for PyTorch, else safetensors
 * @param options.format whose names the weights get. Default `openai`
 * @returns keys of the file that a CLIP has no place for
 * @throws ChronotopeError `weights-format` for a run whose network has more than a CLIP's weights, those of
 *   `openLanguageModel`
 */
export function convertModel(
  source: string,
  out: string,
  options: { format?: ClipFormat } = {},
): { ignored: string[] } {
  const model = openLanguageModel(source);
  try {
    if (model.network !== model.clip) {
      throw new ChronotopeError('weights-format', `the network of ${source} is more than a CLIP`, {
        hint: `Give chronotope weights export ${source} --out ${out}.`,
      });
    }
    saveClip(model.clip, out, options);
    return { ignored: model.ignored };
  } finally {
    model.dispose();
  }
}
