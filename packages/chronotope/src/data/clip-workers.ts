import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { getNumThreads } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import type { StoredVideo } from './clip-reader.js';
import type { DrawnVideo } from './make-views.js';

/** The views of a batch, to be made on another thread. */
export interface ViewsJob {
  videos: readonly DrawnVideo[];
  /** Where the frames of each of these videos are. */
  stored: ReadonlyMap<string, StoredVideo>;
  /** Where the views go, by name: float32 in memory that both threads see. */
  memory: Record<string, Float32Array>;
}

/** What is sent to a worker. */
export interface WorkerRequest extends ViewsJob {
  number: number;
}

/** How a job ended: `failure` says why the views could not be made, or null. */
export interface WorkerReply {
  number: number;
  failure: string | null;
}

interface PendingJob {
  resolve: (made: boolean) => void;
  reject: (error: Error) => void;
}

interface LiveWorker {
  thread: Worker;
  pending: Map<number, PendingJob>;
}

/**
 * Threads that read and augment clips while the network trains. Loaders may share them; whoever made them disposes them.
 * Each has a libtorch environment of its own that uses one core, and starts with the first job.
 */
export class ClipWorkers {
  readonly count: number;
  readonly #workers: LiveWorker[] = [];
  #lastNumber = 0;
  #isDisposed = false;
  #failure: ChronotopeError | null = null;

  /** @param count number of threads, at least 1 */
  constructor(count: number) {
    this.count = count;
  }

  /**
   * Has a job done by the thread with the fewest jobs in its queue.
   *
   * @returns whether the views are in the job's memory; if not, making them on the calling thread will say why
   * @throws ChronotopeError `loader-worker-ended` when a thread ended by itself, now or before
   */
  make(job: ViewsJob): Promise<boolean> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const worker = this.#leastBusy();
    const number = ++this.#lastNumber;
    return new Promise((resolve, reject) => {
      // A thread with work keeps the process alive, an idle one does not.
      if (worker.pending.size === 0) worker.thread.ref();
      worker.pending.set(number, { resolve, reject });
      const request: WorkerRequest = { number, ...job };
      worker.thread.postMessage(request);
    });
  }

  /** Ends the threads; what they have not finished counts as not made. */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    const workers = this.#workers.splice(0);
    for (const { pending } of workers) {
      for (const { resolve } of pending.values()) resolve(false);
      pending.clear();
    }
    await Promise.all(workers.map(({ thread }) => thread.terminate()));
  }

  #leastBusy(): LiveWorker {
    if (this.#workers.length < this.count) this.#workers.push(this.#start());
    return this.#workers.reduce((best, worker) => (worker.pending.size < best.pending.size ? worker : best));
  }

  #start(): LiveWorker {
    // libtorch gives a thread the number of cores that was set last, so this one must have its own before.
    getNumThreads();
    const thread = new Worker(new URL('./clip-worker-main.js', import.meta.url));
    const worker: LiveWorker = { thread, pending: new Map() };
    thread.on('message', ({ number, failure }: WorkerReply) => {
      worker.pending.get(number)?.resolve(failure === null);
      worker.pending.delete(number);
      // While it is being ended it must keep the process alive, else nobody would wait for its end.
      if (worker.pending.size === 0 && !this.#isDisposed) thread.unref();
    });
    thread.on('error', (error) => this.#fail(worker, error));
    thread.on('exit', (code) => this.#fail(worker, new Error(`it ended with code ${code}`)));
    return worker;
  }

  #fail(worker: LiveWorker, cause: Error): void {
    if (this.#isDisposed) return;
    this.#failure ??= new ChronotopeError(
      'loader-worker-ended',
      `a thread that makes batches ended: ${cause.message}`,
      {
        hint: 'Memory may have run out. Give the same command again with fewer threads (--workers), 0 for none.',
        cause,
      },
    );
    for (const { reject } of worker.pending.values()) reject(this.#failure);
    worker.pending.clear();
  }
}

/**
 * How many threads make batches where nobody says: none on one core, else one for every two cores and four at most, as
 * libtorch has the other cores.
 */
export function automaticWorkers(cores = availableParallelism()): number {
  return Math.min(4, Math.floor(cores / 2));
}
