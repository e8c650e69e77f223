import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { availableParallelism, constants } from 'node:os';
import { createInterface } from 'node:readline';

/** Settings of {@link launch}. */
export interface LaunchOptions {
  /** Ranks to start on this host. */
  processes: number;
  /** The program and its arguments, the same for every rank. */
  command: readonly [program: string, ...args: string[]];
  /** Hosts that take part, each with as many ranks. Default 1. */
  nodes?: number;
  /** This host's number. Default 0. */
  nodeRank?: number;
  /** Where rank 0 is. Default 127.0.0.1. */
  masterAddress?: string;
  /** The port at which the ranks meet. Default: a free one, which only works with one host. */
  masterPort?: number;
  /** Environment of the ranks, to which torchrun's variables are added. Default: this process's. */
  environment?: NodeJS.ProcessEnv;
  /** Gets every line that a rank prints. */
  onLine: (stream: 'stdout' | 'stderr', rank: number, line: string) => void;
  /** Gets what the launcher itself has to say. */
  onEvent: (message: string) => void;
}

/** Time that ranks have to end after another one has failed. */
const GRACE_MS = 5000;
const FORWARDED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const NOT_STARTED = 127;

/**
 * Starts the ranks of one host with torchrun's environment variables and waits for them. When one fails the others are
 * told to end, and killed when they do not. SIGINT, SIGTERM and SIGHUP go to all ranks.
 *
 * @returns the exit code of the first rank that failed (128 + the signal's number when a signal ended it), else 0
 */
export async function launch(options: LaunchOptions): Promise<number> {
  const { processes, nodeRank = 0, onEvent } = options;
  const port = options.masterPort ?? (await freePort());
  const ranks = Array.from({ length: processes }, (_, local) => nodeRank * processes + local);
  const children = ranks.map((rank, local) => start(rank, local, port, options));
  const forward = (signal: NodeJS.Signals) => signalAll(children, signal);
  for (const signal of FORWARDED) process.on(signal, forward);

  let failure: number | undefined;
  let killer: NodeJS.Timeout | undefined;
  const ends = children.map(async (child, local) => {
    const { code, reason } = await endOf(child);
    if (code === 0 || failure !== undefined) return;
    failure = code;
    if (children.some(isRunning)) onEvent(`rank ${ranks[local]} ${reason}; stopping the others`);
    else onEvent(`rank ${ranks[local]} ${reason}`);
    signalAll(children, 'SIGTERM');
    killer = setTimeout(() => signalAll(children, 'SIGKILL'), GRACE_MS);
  });
  await Promise.all(ends);
  clearTimeout(killer);
  for (const signal of FORWARDED) process.off(signal, forward);
  return failure ?? 0;
}

function start(rank: number, local: number, port: number, options: LaunchOptions): ChildProcess {
  const { processes, command, nodes = 1, masterAddress = '127.0.0.1', environment = process.env, onLine } = options;
  const threads = Math.max(1, Math.floor(availableParallelism() / processes));
  const [program, ...args] = command;
  const child = spawn(program, args, {
    // A group of its own, so that signals reach a rank once (Ctrl-C goes to the whole group of a terminal) and reach
    // what it started as well.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      OMP_NUM_THREADS: String(threads),
      ...environment,
      RANK: String(rank),
      WORLD_SIZE: String(nodes * processes),
      LOCAL_RANK: String(local),
      LOCAL_WORLD_SIZE: String(processes),
      MASTER_ADDR: masterAddress,
      MASTER_PORT: String(port),
      TORCHELASTIC_USE_AGENT_STORE: undefined,
    },
  });
  for (const stream of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[stream]! }).on('line', (line) => onLine(stream, rank, line));
  }
  return child;
}

function endOf(child: ChildProcess): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: NOT_STARTED, reason: `could not be started: ${error.message}` }));
    child.once('close', (code, signal) => {
      if (signal === null) resolve({ code: code!, reason: `ended with exit code ${code}` });
      else resolve({ code: 128 + constants.signals[signal], reason: `was ended by ${signal}` });
    });
  });
}

const isRunning = (child: ChildProcess) =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null;

function signalAll(children: readonly ChildProcess[], signal: NodeJS.Signals): void {
  for (const child of children.filter(isRunning)) {
    try {
      process.kill(-child.pid!, signal);
    } catch (error) {
      // It ended in between.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** A TCP port of this host that nobody listens at. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
