import { withFile } from './binary-file.js';
import { FormatError } from './format-error.js';

/** An index larger than this names more tensors than any model has. */
const MOST_INDEX_BYTES = 100_000_000;
const BRACE = '{'.charCodeAt(0);

/**
 * Reads the index of a sharded safetensors file: a JSON object whose `weight_map` tells for each tensor's name the file
 * beside the index that has it.
 *
 * @returns for each file the names of its tensors; undefined when `path` is no index but a safetensors file itself
 * @throws TorchError `io` when it is malformed, or names a file elsewhere
 */
export function readIndex(path: string): Map<string, Set<string>> | undefined {
  return withFile(path, 'safetensors index', (file) => {
    if (file.size === 0 || file.read(0, 1)[0] !== BRACE || isSafetensors(file.read(0, Math.min(9, file.size)))) {
      return undefined;
    }
    if (file.size > MOST_INDEX_BYTES) throw new FormatError(`it is too large (${file.size} bytes)`);
    return parseIndex(file.read(0, file.size).toString('utf8'));
  });
}

/** A header whose length happens to begin with a brace is followed by a brace at byte 8, and by zeros before. */
function isSafetensors(start: Buffer): boolean {
  return start.length === 9 && start[7] === 0 && start[8] === BRACE;
}

function parseIndex(text: string): Map<string, Set<string>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`it is not valid JSON (${(error as Error).message})`);
  }
  const weightMap = (json as { weight_map?: unknown }).weight_map;
  if (typeof weightMap !== 'object' || weightMap === null || Array.isArray(weightMap)) {
    throw new FormatError("it has no 'weight_map'");
  }
  const shards = new Map<string, Set<string>>();
  for (const [tensor, shard] of Object.entries(weightMap)) {
    if (typeof shard !== 'string' || !/^[^/\\\0]+$/.test(shard) || shard === '.' || shard === '..') {
      throw new FormatError(`it places '${tensor}' in ${JSON.stringify(shard)}, which is no file beside it`);
    }
    const tensors = shards.get(shard) ?? new Set();
    shards.set(shard, tensors.add(tensor));
  }
  return shards;
}
