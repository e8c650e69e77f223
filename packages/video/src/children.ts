import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { VideoError } from './errors.js';

const liveChildren = new Set<ChildProcess>();
/** Milliseconds; a timer of Node.js fires at once when it is set to more. */
const longestTimer = 2 ** 31 - 1;
const handledSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Starts a program with a list of arguments (no shell) and stops it when this process ends for any reason that can be
 * observed: normal exit, an uncaught error, SIGINT, SIGTERM, SIGHUP. After SIGKILL the closed pipes end FFmpeg.
 */
export function startChild(command: string, args: string[], { stdin }: { stdin: 'ignore' | 'pipe' }): ChildProcess {
  const child = spawn(command, args, { stdio: [stdin, 'pipe', 'pipe'], windowsHide: true });
  const forget = endWithThisProcess(child);
  child.once('close', forget);
  child.once('error', forget);
  return child;
}

/** Has a child stopped when this process ends, as {@link startChild} does, until the function that is returned is called. */
export function endWithThisProcess(child: ChildProcess): () => void {
  if (liveChildren.size === 0) watchForExit();
  liveChildren.add(child);
  return () => {
    liveChildren.delete(child);
    if (liveChildren.size === 0) stopWatchingForExit();
  };
}

/** Number of child processes that work now. */
export function liveChildCount(): number {
  return liveChildren.size;
}

function killLiveChildren(): void {
  for (const child of liveChildren) child.kill('SIGKILL');
}

// Node ends on these signals without an 'exit' event, which would leave children behind that do not write to a pipe.
// An application with a handler of its own decides for itself: it stops its work or exits, and both end the children.
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  killLiveChildren();
  stopWatchingForExit();
  process.kill(process.pid, signal);
}

function watchForExit(): void {
  process.on('exit', killLiveChildren);
  for (const signal of handledSignals) process.on(signal, onSignal);
}

function stopWatchingForExit(): void {
  process.off('exit', killLiveChildren);
  for (const signal of handledSignals) process.off(signal, onSignal);
}

/** Limits of one child process. */
export interface ChildLimits {
  /** Milliseconds after which the child is killed. */
  timeoutMs: number;
  /** Kills the child when aborted. */
  signal?: AbortSignal;
}

/**
 * Value for FFmpeg's own `-timelimit` (seconds of processor time). It ends FFmpeg even where this process was killed and
 * cannot, and is never reached before `timeoutMs`.
 */
export function cpuSecondsLimit(timeoutMs: number): number {
  return Math.min(1e9, Math.ceil((timeoutMs / 1000) * availableParallelism()) + 10);
}

/** How a child process ended: its exit code, or the signal that ended it. */
export interface ChildEnd {
  exitCode: number | null;
  killedBy: NodeJS.Signals | null;
}

/**
 * Kills a child at its time limit or on abort. The clock can be paused, so that a slow consumer of a stream does not use
 * up the child's time.
 */
export class ChildGuard {
  /** How the child ended, once all its pipes are closed. */
  readonly ended: Promise<ChildEnd>;
  #stopReason: 'timeout' | 'aborted' | null = null;
  #startError: Error | null = null;
  #timer: NodeJS.Timeout | null = null;
  #remainingMs: number;
  #resumedAt = 0;
  readonly #child: ChildProcess;
  readonly #path: string;
  readonly #limits: ChildLimits;
  readonly #onAbort = (): void => this.#stop('aborted');

  /** `path` is the file that errors name. */
  constructor(child: ChildProcess, path: string, limits: ChildLimits) {
    this.#child = child;
    this.#path = path;
    this.#limits = limits;
    this.#remainingMs = limits.timeoutMs;
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        this.#startError = error;
        resolve({ exitCode: null, killedBy: null });
      });
      child.once('close', (exitCode, killedBy) => resolve({ exitCode, killedBy }));
    });
    if (limits.signal?.aborted) this.#onAbort();
    else limits.signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.resume();
  }

  /** Stops the clock. */
  pause(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#remainingMs -= performance.now() - this.#resumedAt;
  }

  /** Starts the clock again. */
  resume(): void {
    if (this.#timer !== null) return;
    this.#resumedAt = performance.now();
    const delay = Math.min(longestTimer, Math.max(0, this.#remainingMs));
    this.#timer = setTimeout(() => this.#stop('timeout'), delay);
  }

  /** Throws the `timeout` or `aborted` error if this guard stopped the child, `ffmpeg-missing` if it could not start. */
  throwIfStopped(): void {
    if (this.#startError !== null) throw startError(this.#child.spawnfile, this.#startError);
    if (this.#stopReason === 'timeout') throw timeoutError(this.#path, this.#limits.timeoutMs);
    if (this.#stopReason === 'aborted') throw abortedError(this.#path, this.#limits.signal?.reason);
  }

  /** Kills the child if it still runs and releases timer and listeners. */
  release(): void {
    this.pause();
    this.#limits.signal?.removeEventListener('abort', this.#onAbort);
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL');
  }

  #stop(reason: 'timeout' | 'aborted'): void {
    this.#stopReason ??= reason;
    this.#child.kill('SIGKILL');
  }
}

/** The `aborted` error for work on `path`. */
export function abortedError(path: string, cause?: unknown): VideoError {
  return new VideoError({
    code: 'aborted',
    path,
    reason: 'Stopped on request.',
    hint: 'Start it again to go on.',
    cause,
  });
}

function startError(program: string, cause: Error): VideoError {
  const hint = 'Check that this user may run it and that the machine has memory left.';
  return new VideoError({
    code: 'ffmpeg-missing',
    path: program,
    reason: `It cannot be started (${cause.message}).`,
    hint,
    cause,
  });
}

/** The `timeout` error for work on `path`. */
export function timeoutError(path: string, timeoutMs: number): VideoError {
  return new VideoError({
    code: 'timeout',
    path,
    reason: `FFmpeg did not finish within ${timeoutMs / 1000} s.`,
    hint: 'The file may be damaged; raise timeoutMs if it is just long or the machine is slow.',
  });
}

/** What a finished child wrote, each stream cut after its limit. */
export interface CapturedOutput extends ChildEnd {
  stdout: string;
  stderr: string;
}

/** Runs a program to its end and captures its output. Throws {@link VideoError} `timeout`, `aborted`, `ffmpeg-missing`. */
export async function runToEnd(
  command: string,
  args: string[],
  options: ChildLimits & { path: string; maxOutputBytes?: number },
): Promise<CapturedOutput> {
  const { path, maxOutputBytes = 4 << 20 } = options;
  const child = startChild(command, args, { stdin: 'ignore' });
  const guard = new ChildGuard(child, path, options);
  try {
    const stdout = collectText(child.stdout!, maxOutputBytes);
    const stderr = collectText(child.stderr!, maxOutputBytes);
    const end = await guard.ended;
    guard.throwIfStopped();
    return { ...end, stdout: stdout(), stderr: stderr() };
  } finally {
    guard.release();
  }
}

/** Keeps the first `maxBytes` of a stream and reads the rest away; the function returned gives the text so far. */
export function collectText(stream: NodeJS.ReadableStream, maxBytes: number): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes >= maxBytes) return;
    chunks.push(chunk.subarray(0, maxBytes - bytes));
    bytes += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
