import { keep, scope } from '../scope.js';
import type { Tensor } from '../tensor.js';
import { writeAtomically, writeAtomicallyAsync } from './atomic-write.js';
import { itemBytes } from './dtypes.js';
import { ioError } from './format-error.js';
import { writeAll, writeAllAsync } from './write-all.js';

/** A part of a file: after what was written before it, or at a position. */
export interface Piece {
  bytes: Uint8Array;
  position?: number;
}

/** Settings of what writes and reads files beside the event loop. */
export interface AsyncFileOptions {
  /** Ends the work: nothing is left behind, and the promise is rejected with the signal's reason. */
  signal?: AbortSignal;
}

/** Small enough that the allocator reuses the memory of one piece for the next. */
export const PIECE_BYTES = 2 ** 20;

/**
 * Writes a file of pieces, which appears at `path` complete or not at all.
 *
 * @param format what the file is to be, for the message
 * @throws TorchError `io` with the path when it cannot be written
 */
export function writePieces(path: string, format: string, pieces: Iterable<Piece>): void {
  try {
    writeAtomically(path, (file) => {
      for (const { bytes, position } of pieces) writeAll(file, bytes, position);
    });
  } catch (error) {
    throw ioError(path, format, error);
  }
}

/** {@link writePieces}, with the writing and flushing in Node's thread pool: the event loop runs between the pieces. */
export async function writePiecesAsync(
  path: string,
  format: string,
  pieces: Iterable<Piece>,
  { signal }: AsyncFileOptions,
): Promise<void> {
  try {
    await writeAtomicallyAsync(path, async (file) => {
      for (const { bytes, position } of pieces) {
        signal?.throwIfAborted();
        await writeAllAsync(file, bytes, position);
      }
      signal?.throwIfAborted();
    });
  } catch (error) {
    throw signal?.aborted && error === signal.reason ? error : ioError(path, format, error);
  }
}

/** The elements of a tensor in row-major order as bytes, piece by piece, so that memory holds one piece. */
export function* bytesOf(tensor: Tensor): Generator<Uint8Array> {
  const bytes = tensor.numel * itemBytes(tensor.dtype);
  if (bytes === 0) return;
  const flat = scope(() => keep(tensor.detach().contiguous().view([-1]).viewDtype('uint8')));
  try {
    for (let start = 0; start < bytes; start += PIECE_BYTES) {
      yield scope(() => flat.narrow(0, start, Math.min(PIECE_BYTES, bytes - start)).data() as Uint8Array);
    }
  } finally {
    flat.dispose();
  }
}

/** Runs `work` with handles of its own of the tensors, which nobody disposes of while it waits. */
export async function whileHolding<R>(
  tensors: readonly Tensor[],
  work: (held: readonly Tensor[]) => Promise<R>,
): Promise<R> {
  const held = scope(() => tensors.map((tensor) => keep(tensor.detach())));
  try {
    return await work(held);
  } finally {
    for (const tensor of held) tensor.dispose();
  }
}
