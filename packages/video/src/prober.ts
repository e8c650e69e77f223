import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { abortedError, type ChildLimits, cpuSecondsLimit, endWithThisProcess, timeoutError } from './children.js';
import { findFfmpeg } from './ffmpeg.js';

/** What is asked of a file: streams and container, or its packets before these. */
export type ProberRequest = 'header' | 'packets';

const program = fileURLToPath(new URL('../build/prober', import.meta.url));
/** Milliseconds after which a prober that nobody asks is ended. */
const restMs = 2000;
const startTimeoutMs = 10_000;

const resting: Prober[] = [];
/** FFmpeg's version that the program is linked with; null where it is not there or does not start. */
let linkedWith: string | null | undefined;

/**
 * Asks `native/prober.cpp`, a program that stays and so saves the start of an `ffprobe` for each file. Each runs apart from
 * this process, as FFmpeg does, and is killed at the time limit.
 *
 * @param onLine is given ffprobe's JSON line by line: packets one by one, then streams and container
 * @returns false where there is no such program for the FFmpeg in use, and for a file that is not in order: then it is for
 *   `ffprobe` to say what is wrong, and the lines given so far mean nothing
 *
 * Throws {@link VideoError}: `timeout`, `aborted`, `ffmpeg-missing`, `ffmpeg-too-old`.
 */
export async function askProber(
  request: ProberRequest,
  path: string,
  limits: ChildLimits,
  onLine: (line: string) => void,
): Promise<boolean> {
  const prober = await takeProber();
  if (prober === null) return false;
  const answered = await prober.ask(request, path, limits, onLine);
  if (prober.isAlive) resting.push(prober);
  return answered;
}

/** Whether files are looked at by the resident prober, with the FFmpeg in use. */
export async function proberIsUsable(): Promise<boolean> {
  const prober = await takeProber();
  if (prober !== null) resting.push(prober);
  return prober !== null;
}

/** One that rests, or a new one; null where there is none for the FFmpeg in use. */
async function takeProber(): Promise<Prober | null> {
  const { version } = await findFfmpeg();
  if (linkedWith !== undefined && linkedWith !== version) return null;
  for (let rested = resting.pop(); rested !== undefined; rested = resting.pop()) if (rested.isAlive) return rested;
  const prober = existsSync(program) ? new Prober() : null;
  linkedWith = (await prober?.version()) ?? null;
  if (linkedWith === version) return prober;
  prober?.end();
  return null;
}

/** One process. It keeps this one alive only while it is asked. */
class Prober {
  readonly #child: ChildProcess;
  #onLine: (line: string) => void = () => {};
  #onEnd: () => void = () => {};
  #rest: NodeJS.Timeout | null = null;
  #isAlive = true;

  constructor() {
    this.#child = spawn(program, { stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true });
    const ended = (): void => {
      this.#isAlive = false;
      this.#onEnd();
    };
    this.#child.once('error', ended);
    this.#child.once('close', ended);
    // A prober that has ended cannot be written to; its end is noticed anyway.
    this.#child.stdin!.on('error', () => {});
    createInterface({ input: this.#child.stdout!, crlfDelay: Infinity }).on('line', (line) => this.#onLine(line));
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** The version of FFmpeg that it is linked with; null if it does not start. */
  version(): Promise<string | null> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.end(), startTimeoutMs);
      const settle = (version: string | null): void => {
        clearTimeout(timer);
        this.#stopListening();
        resolve(version);
      };
      this.#onLine = settle;
      this.#onEnd = () => settle(null);
    });
  }

  ask(
    request: ProberRequest,
    path: string,
    { timeoutMs, signal }: ChildLimits,
    onLine: (line: string) => void,
  ): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#wake();
      const forget = endWithThisProcess(this.#child);
      const settle = (end: () => void): void => {
        forget();
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.#stopListening();
        end();
      };
      const stop = (error: Error): void => {
        this.end();
        settle(() => reject(error));
      };
      const abort = (): void => stop(abortedError(path, signal?.reason));
      const timer = setTimeout(() => stop(timeoutError(path, timeoutMs)), Math.min(timeoutMs, 2 ** 31 - 1));
      this.#onEnd = () => settle(() => resolve(false));
      this.#onLine = (line) => {
        if (line === 'done' || line === 'failed') settle(() => resolve(line === 'done'));
        else onLine(line);
      };
      if (!this.#isAlive) return this.#onEnd();
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      const length = Buffer.byteLength(path);
      this.#child.stdin!.write(`${request} ${cpuSecondsLimit(timeoutMs)} ${length}\n${path}`);
    });
  }

  end(): void {
    this.#isAlive = false;
    this.#child.kill('SIGKILL');
  }

  #stopListening(): void {
    this.#onLine = () => {};
    this.#onEnd = () => {};
    this.#rest = setTimeout(() => this.end(), restMs);
    this.#rest.unref();
    for (const handle of this.#handles()) handle.unref();
  }

  #wake(): void {
    if (this.#rest !== null) clearTimeout(this.#rest);
    for (const handle of this.#handles()) handle.ref();
  }

  #handles(): { ref(): void; unref(): void }[] {
    return [this.#child, this.#child.stdin as Socket, this.#child.stdout as Socket];
  }
}
