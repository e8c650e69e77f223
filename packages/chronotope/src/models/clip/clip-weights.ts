import { type nn, savePth, saveSafetensors, scope, type Tensor, TorchError } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';
import { readWeights } from '../weights/read-weights.js';
import { Clip } from './clip.js';
import { fromHuggingFace, toHuggingFace } from './huggingface-keys.js';
import { type ClipShape, clipShapeOf, type UnreadableShape } from './shape.js';

/** Whose keys a file of CLIP weights has: OpenAI's (and OpenCLIP's), or those of Hugging Face's `CLIPModel`. */
export type ClipFormat = 'openai' | 'huggingface';

/** A CLIP from a file. */
export interface LoadedClip {
  clip: Clip;
  format: ClipFormat;
  /** Keys of the file that a CLIP has no place for. */
  ignored: string[];
}

/**
 * Loads a CLIP from a file: OpenAI's TorchScript archive (`ViT-B-16.pt`), Hugging Face's `model.safetensors` or
 * `pytorch_model.bin`, OpenCLIP's checkpoints, and what {@link saveClip} wrote. The architecture is read from the shapes
 * of the weights; half precision becomes float32.
 *
 * @param options what shapes do not say, see {@link UnreadableShape}; files of {@link saveClip} say it themselves
 * @throws ChronotopeError `not-clip` for weights of something else, `weights-differ` if a weight is missing or has the
 *   wrong shape. TorchError `io` for files that cannot be read
 */
export function loadClip(path: string, options: UnreadableShape = {}): LoadedClip {
  return scope(() => {
    const { state, format, metadata } = readClip(path);
    const shape = readShape(path, state, { ...unreadableShape(metadata), ...options });
    const clip = new Clip(shape);
    const report = loadInto(path, clip, state);
    const ignored = report.unexpected.filter((key) => !isKnownExtra(key));
    return { clip, format, ignored };
  });
}

/** What a file of CLIP weights is, without a network made of it; null if it is none. */
export function recogniseClip(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): { shape: ClipShape; format: ClipFormat } | null {
  const format = formatOf(tensors);
  const state = format === 'openai' ? tensors : fromHuggingFace(tensors);
  try {
    return { shape: clipShapeOf(state, unreadableShape(metadata)), format };
  } catch (error) {
    if (error instanceof ChronotopeError && error.code === 'not-clip') return null;
    throw error;
  }
}

/**
 * Writes a CLIP for other programs: with an ending `.pth` or `.pt` for `torch.load`, else as safetensors.
 *
 * @param options.format whose keys. Default `openai`
 */
export function saveClip(clip: Clip, path: string, { format = 'openai' }: { format?: ClipFormat } = {}): void {
  scope(() => {
    const state = clip.stateDict();
    const named = format === 'openai' ? state : toHuggingFace(state);
    const { image, text, activation } = clip.shape;
    const unreadable: UnreadableShape = { imageHeads: image.heads, textHeads: text.heads, activation };
    if (/\.(pth|pt)$/.test(path)) savePth(path, named);
    else saveSafetensors(path, named, { metadata: { format: 'pt', [METADATA_KEY]: JSON.stringify(unreadable) } });
  });
}

const METADATA_KEY = 'chronotope.clip';

function unreadableShape(metadata: Readonly<Record<string, string>>): UnreadableShape {
  const text = metadata[METADATA_KEY];
  return text === undefined ? {} : (JSON.parse(text) as UnreadableShape);
}

function readClip(path: string) {
  const { tensors, metadata } = readWeights(path);
  const format = formatOf(tensors);
  return { state: format === 'openai' ? tensors : fromHuggingFace(tensors), format, metadata };
}

function formatOf(tensors: ReadonlyMap<string, Tensor>): ClipFormat {
  return tensors.has('vision_model.embeddings.class_embedding') ? 'huggingface' : 'openai';
}

function readShape(path: string, state: ReadonlyMap<string, Tensor>, options: UnreadableShape): ClipShape {
  try {
    return clipShapeOf(state, options);
  } catch (error) {
    if (!(error instanceof ChronotopeError)) throw error;
    const { code, message, hint, details } = error;
    throw new ChronotopeError(code, `${path} holds no CLIP that is known here: ${message}`, {
      ...(hint === undefined ? {} : { hint }),
      details: { ...details, file: path },
      cause: error,
    });
  }
}

function loadInto(path: string, clip: Clip, state: ReadonlyMap<string, Tensor>): nn.LoadReport {
  const missing = [...clip.stateDict().keys()].filter((key) => !state.has(key));
  try {
    if (missing.length > 0)
      throw weightsDiffer(path, `${missing.length} are missing: ${missing.slice(0, 3).join(', ')}`);
    return clip.loadStateDict(state, { strict: false });
  } catch (error) {
    clip.dispose();
    throw error instanceof TorchError ? weightsDiffer(path, error.message, error) : error;
  }
}

function weightsDiffer(path: string, problem: string, cause?: unknown): ChronotopeError {
  return new ChronotopeError('weights-differ', `the weights of ${path} do not fit: ${problem}`, {
    hint: 'the file is damaged or of another architecture: download it again, or convert it from the original',
    details: { file: path },
    cause,
  });
}

/** Numbers that OpenAI's archives and old files of Hugging Face keep beside the weights. */
function isKnownExtra(key: string): boolean {
  return /^(input_resolution|context_length|vocab_size)$|\.position_ids$/.test(key);
}
