import { TorchError } from '../errors.js';
import { Tensor } from '../tensor.js';
import { type BinaryFile, withFile } from './binary-file.js';
import { FormatError } from './format-error.js';
import { readNpz } from './npz.js';
import { isPythonObject, type PythonObject } from './pickle-values.js';
import type { AsyncFileOptions } from './pieces.js';
import { type PthFormat, readPth } from './pth.js';
import { isLegacyPth } from './pth-legacy.js';
import type { PthValue, Skipped } from './pth-value.js';
import { readAhead } from './read-ahead.js';
import { loadSafetensors, partsOf } from './safetensors.js';
import { type TorchScriptClasses, torchScriptStateDict } from './torchscript.js';
import { ZipArchive } from './zip-archive.js';

/** Under which keys training scripts commonly store a model's weights, for {@link loadStateDict}'s `key`. */
export const STATE_DICT_KEYS: readonly string[] = [
  'state_dict',
  'model_state_dict',
  'model_state',
  'model',
  'net',
  'module',
];

/** Weights by name, and what of the file they leave out. */
export interface LoadedStateDict {
  tensors: Map<string, Tensor>;
  /** What stood beside the weights and is no tensor, and objects of foreign classes anywhere in the file. */
  skipped: Skipped[];
  format: PthFormat | 'safetensors' | 'npz';
  /** Strings in the header of a safetensors file; none in other formats. */
  metadata: Record<string, string>;
}

/**
 * Reads the weights of a model from a file of any known format, which is recognised by its content: safetensors (also
 * the index of a sharded one), `.pth`/`.pt` of any age, TorchScript archives, whole pickled modules, `.npz`. No code of
 * the file is run. The tensors are copy-on-write maps of the file where the format allows it.
 *
 * @param options.key where in a checkpoint the weights are, such as `state_dict`; of several keys the first that is
 *   there counts ({@link STATE_DICT_KEYS} are the usual ones). Default: the weights are the checkpoint itself
 * @throws TorchError `io` when the file is of no known format, is damaged, or has no weights there; the hint tells
 *   where it has some
 */
export function loadStateDict(path: string, { key }: { key?: string | readonly string[] } = {}): LoadedStateDict {
  const format = withFile(path, 'checkpoint', recognise);
  switch (format) {
    case 'safetensors':
      return { ...loadSafetensors(path), skipped: [], format };
    case 'npz':
      return { tensors: withFile(path, 'NumPy', readNpz), skipped: [], format, metadata: {} };
    case 'pth':
      return withFile(path, 'PyTorch', (file) => {
        const { value, skipped, format: found, classes } = readPth(file);
        return { ...selectWeights(path, value, { skipped, classes, key }), format: found, metadata: {} };
      });
  }
}

/**
 * {@link loadStateDict} beside the event loop: the file is first read through in Node's thread pool, so that no later use
 * of a tensor waits for the disk.
 *
 * @throws as {@link loadStateDict}; the signal's reason when it aborts
 */
export async function loadStateDictAsync(
  path: string,
  { signal, ...options }: { key?: string | readonly string[] } & AsyncFileOptions = {},
): Promise<LoadedStateDict> {
  for (const part of [path, ...partsOf(path)]) await readAhead(part, { signal });
  return loadStateDict(path, options);
}

const BRACE = '{'.charCodeAt(0);
const ZIP_START = Buffer.from('PK\x03\x04', 'latin1');

/** Beginnings of files that are mistaken for checkpoints, and what to do with them. */
const MISTAKEN: readonly (readonly [string, string, string])[] = [
  ['version https://git-lfs', 'it is a pointer of Git LFS, not the file itself', 'run git lfs pull in its repository'],
  ['<', 'it is a web page', 'download the file itself, not the page about it'],
  ['\x1f\x8b', 'it is compressed with gzip', 'decompress it with gunzip'],
  ['\x89HDF', 'it is an HDF5 file', 'convert it to safetensors'],
  ['\x93NUMPY', 'it is one array without a name', 'read it with loadNpy'],
  ['GGUF', 'it is a GGUF file', 'convert it to safetensors'],
];

function recognise(file: BinaryFile): 'safetensors' | 'npz' | 'pth' {
  if (file.size === 0) throw new FormatError('it is empty');
  const start = file.read(0, Math.min(file.size, 32));
  if (start.subarray(0, 4).equals(ZIP_START)) {
    return [...new ZipArchive(file).entries.keys()].some((name) => name.endsWith('.npy')) ? 'npz' : 'pth';
  }
  // The length of a header is below 2^32, and the brace is the header's own, or an index's.
  const isHeader = start[8] === BRACE && start.readUInt32LE(4) === 0;
  if (isHeader || start[0] === BRACE) return 'safetensors';
  if (isLegacyPth(file)) return 'pth';
  const mistaken = MISTAKEN.find(([beginning]) => start.toString('latin1').startsWith(beginning));
  if (mistaken !== undefined) throw new FormatError(mistaken[1], mistaken[2]);
  throw new FormatError(
    `it begins with ${start.subarray(0, 8).toString('hex')}, which no known format does`,
    'known are safetensors, files of torch.save and torch.jit.save, and .npz',
  );
}

interface Selection {
  skipped: Skipped[];
  classes: TorchScriptClasses;
  key: string | readonly string[] | undefined;
}

function selectWeights(
  path: string,
  root: PthValue,
  { skipped, classes, key }: Selection,
): Pick<LoadedStateDict, 'tensors' | 'skipped'> {
  const keys = key === undefined ? [] : typeof key === 'string' ? [key] : key;
  const found = key === undefined ? undefined : keys.find((name) => root instanceof Map && root.has(name));
  if (key !== undefined && found === undefined) throw noWeights(path, `nothing under ${keys.join(', ')}`, root);
  const chosen = found === undefined ? root : (root as Map<PthValue, PthValue>).get(found)!;
  const prefix = found === undefined ? '' : `${found}.`;

  if (isPythonObject(chosen)) {
    const module = chosen as PythonObject<PthValue>;
    const tensors = module.className.startsWith('__torch__.')
      ? torchScriptStateDict(module, classes)
      : moduleStateDict(module);
    if (tensors.size === 0) throw noWeights(path, `an object of class ${module.className}`, root);
    return { tensors, skipped: skipped.filter(({ path: at }) => at !== (found ?? '')) };
  }
  const entries = chosen instanceof Map ? [...chosen] : [];
  const tensors = new Map(entries.filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor));
  if (tensors.size === 0) throw noWeights(path, 'no tensors by name', root);
  const beside = entries
    .filter(([, value]) => !(value instanceof Tensor || isPythonObject(value)))
    .map(([name, value]) => ({ path: prefix + String(name), kind: kindOf(value) }));
  return { tensors, skipped: [...beside, ...skipped] };
}

/** The parameters and persistent buffers of a module that was pickled whole, under PyTorch's names. */
function moduleStateDict(root: PythonObject<PthValue>): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const visit = (module: PythonObject<PthValue>, prefix: string) => {
    const attribute = (name: string) => (module.state instanceof Map ? module.state.get(name) : undefined);
    const temporary = attribute('_non_persistent_buffers_set');
    for (const group of ['_parameters', '_buffers']) {
      const tensors = attribute(group);
      for (const [name, value] of tensors instanceof Map ? tensors : []) {
        const isTemporary = group === '_buffers' && temporary instanceof Set && temporary.has(name);
        if (value instanceof Tensor && !isTemporary) found.set(prefix + String(name), value);
      }
    }
    const modules = attribute('_modules');
    for (const [name, value] of modules instanceof Map ? modules : []) {
      if (isPythonObject(value)) visit(value as PythonObject<PthValue>, `${prefix}${String(name)}.`);
    }
  };
  visit(root, '');
  return found;
}

function noWeights(path: string, found: string, root: PthValue): TorchError {
  return new TorchError(`'${path}' has ${found} where the weights should be`, { code: 'io', hint: hintFor(root) });
}

function hintFor(root: PthValue): string {
  if (!(root instanceof Map)) return `the file holds ${kindOf(root)}: read it with loadPth`;
  const candidates = [...root].filter(([, value]) => isPythonObject(value) || countTensors(value) > 0);
  const contents = [...root].slice(0, 20).map(([name, value]) => `${String(name)} (${kindOf(value)})`);
  const advice = candidates.map(([name]) => `{ key: '${String(name)}' }`).join(' or ');
  return `the file has ${contents.join(', ')}${advice === '' ? '' : `; pass ${advice}`}`;
}

function countTensors(value: PthValue): number {
  return value instanceof Map ? [...value.values()].filter((item) => item instanceof Tensor).length : 0;
}

function kindOf(value: PthValue): string {
  if (value === null) return 'None';
  if (value instanceof Tensor) return 'a tensor';
  if (value instanceof Map)
    return `a dictionary of ${countTensors(value)} tensors and ${value.size - countTensors(value)} others`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Set) return `a set of ${value.size}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return isPythonObject(value) ? `an object of ${value.className}` : `a ${typeof value}`;
}
