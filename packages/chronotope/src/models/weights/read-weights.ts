import { type LoadedStateDict, loadStateDict, STATE_DICT_KEYS, type Tensor, TorchError } from '@chronotope/torch';

/** Where training scripts keep weights; the last is how TCLR's evaluation keeps a backbone. */
const PLACES = [...STATE_DICT_KEYS, 'bb_state_dict'];

/** What DataParallel and torch.compile put before every key. */
const WRAPPERS = ['module.', '_orig_mod.'];

/** The weights of a file under the keys of the network itself. */
export interface ReadWeights {
  tensors: Map<string, Tensor>;
  /** What was taken off every key. */
  wrapper: string;
  skipped: LoadedStateDict['skipped'];
  /** Strings in the header of a safetensors file; none in other formats. */
  metadata: Record<string, string>;
}

/**
 * Reads the weights of any checkpoint file.
 *
 * @param place where in a checkpoint they are, such as `state_dict`; by default at one of the usual places, or at the top
 * @throws TorchError `io` for files that cannot be read or have no weights there; the hint tells where it has some
 */
export function readWeights(path: string, place?: string): ReadWeights {
  const { tensors, skipped, metadata } =
    place === undefined ? fromUsualPlace(path) : loadStateDict(path, { key: place });
  const wrapper = wrapperOf([...tensors.keys()]);
  const unwrapped = [...tensors].map(([key, tensor]): [string, Tensor] => [key.slice(wrapper.length), tensor]);
  return { tensors: new Map(unwrapped), wrapper, skipped, metadata };
}

/** The usual places come first: beside a state dict, checkpoints may have single tensors at the top. */
function fromUsualPlace(path: string): LoadedStateDict {
  try {
    return loadStateDict(path, { key: PLACES });
  } catch (error) {
    if (error instanceof TorchError && error.code === 'io') return loadStateDict(path);
    throw error;
  }
}

function wrapperOf(keys: readonly string[]): string {
  let wrapper = '';
  for (;;) {
    const next = WRAPPERS.find((candidate) => keys.every((key) => key.startsWith(wrapper + candidate)));
    if (next === undefined || keys.length === 0) return wrapper;
    wrapper += next;
  }
}
