import { isMainThread } from 'node:worker_threads';
import { native } from './native.js';

/** What is alive on the native side. */
export interface MemoryStatistics {
  /** Tensor handles of this thread. */
  liveTensors: number;
  /**
   * Bytes of CPU tensors in the whole process, including those that only autograd's graph or a `.grad` holds, and not
   * what files are mapped.
   */
  liveBytes: number;
  /** Bytes of freed blocks that are kept for the next tensors of the same sizes. */
  cachedBytes: number;
  /**
   * Bytes of this thread's tensors that no scope owns, each storage once: what V8 is told, so that its garbage collector
   * runs often enough. Without mapped files and buffers of V8's own.
   */
  collectableBytes: number;
}

/** Counts what is alive on the native side. */
export function memory(): MemoryStatistics {
  return native().memory();
}

/**
 * Sets how many threads one operator may use on the CPU (for this thread's operators). Threads of OpenBLAS, which serve
 * the matrix products of the whole process, follow the main thread's number.
 */
export function setNumThreads(count: number): void {
  native().setNumThreads(count);
  if (isMainThread) native().setNumBlasThreads(count);
}

/** How many threads one operator may use on the CPU. */
export function getNumThreads(): number {
  return native().getNumThreads();
}

/** Which libtorch is loaded, and what it can use. */
export interface Versions {
  /** libtorch's version, such as `2.6.0`. */
  torch: string;
  /** Whether a CUDA device can be used. */
  cuda: boolean;
  cudaDevices: number;
}

/** What libtorch is and can do. */
export function version(): Versions {
  return native().version();
}

/** libtorch's own description of its build: compiler, BLAS, oneDNN, CUDA, OpenMP. */
export function showConfig(): string {
  return native().showConfig();
}
