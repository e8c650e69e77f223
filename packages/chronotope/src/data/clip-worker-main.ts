import { parentPort } from 'node:worker_threads';
import { fromBuffer, scope, setNumThreads } from '@chronotope/torch';
import { ClipReader, type StoredVideo } from './clip-reader.js';
import type { WorkerReply, WorkerRequest } from './clip-workers.js';
import { makeViews } from './make-views.js';

// A thread of ClipWorkers. Damaged frames are not made again here: the thread that asked does that, and in order.

setNumThreads(1);

let stored: ReadonlyMap<string, StoredVideo> = new Map();
const reader = new ClipReader({ get: (id) => stored.get(id) });

parentPort!.on('message', ({ number, videos, memory, ...job }: WorkerRequest) => {
  stored = job.stored;
  const reply: WorkerReply = { number, failure: null };
  try {
    scope(() => {
      for (const [name, view] of Object.entries(makeViews(reader, videos, 'cpu'))) {
        fromBuffer(memory[name]!, { shape: view.shape }).copy_(view);
      }
    });
  } catch (error) {
    reply.failure = (error as Error).message;
  }
  parentPort!.postMessage(reply);
});
