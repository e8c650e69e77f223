import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ChronotopeError } from '../errors.js';
import { randomStream } from '../random.js';
import { formatRecipe } from '../recipes/load.js';
import type { Recipe } from '../recipes/schemas.js';
import { interrupted } from '../training/fit.js';
import { writeFileAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';

const PROGRAM = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));

/** Settings of {@link verifyResume}. */
export interface VerifyResumeOptions {
  /** What to train on, as the recipe's method reads it. */
  data: string;
  recipe: Recipe;
  /** Further arguments of `chronotope train <method>`, such as `--labels-per-class`. Default: none. */
  trainArguments?: readonly string[];
  /** A new or empty folder for the runs. */
  folder: string;
  /** How many kills must hit a running program. */
  kills: number;
  /** Decides when. Default 1. */
  seed?: number;
  progress?: Progress;
  signal?: AbortSignal;
}

/** What {@link verifyResume} found. */
export interface ResumeReport {
  /** Of each kill, the stage that it hit; null for one between stages, such as while videos are decoded. */
  kills: (string | null)[];
  /** Runs that were killed, all by themselves as often as they did not finish before. */
  runs: number;
  /** Files of weights in each run. */
  models: number;
  /** Those of the killed runs that are not the same as without kills, byte for byte. */
  different: string[];
}

/**
 * Trains once undisturbed and then killed (SIGKILL) at random moments and started again, and compares all weights. A run
 * that finishes before all kills have hit is followed by another.
 *
 * @throws ChronotopeError `training-failed` when a run ends with an error, `interrupted`
 */
export async function verifyResume(options: VerifyResumeOptions): Promise<ResumeReport> {
  const { recipe, folder, kills: wanted, seed = 1, progress = silentProgress } = options;
  writeFileAtomic(path.join(folder, 'recipe.yaml'), formatRecipe(recipe));
  const undisturbed = path.join(folder, 'undisturbed');

  const task = progress.begin('verifying resume', wanted, 'kills');
  const whole = await timeOf(() => train(options, undisturbed));
  // Again there is nothing to train. A kill in so short a time would meet a program that has nothing to lose yet.
  const startUp = await timeOf(() => train(options, undisturbed));
  const share = Math.max(0, whole - startUp) / (wanted + 1);
  const random = randomStream(seed, 'kills');

  const kills: (string | null)[] = [];
  const runs: string[] = [];
  while (kills.length < wanted) {
    const run = path.join(folder, `killed-${runs.length + 1}`);
    runs.push(run);
    let isDone = false;
    while (!isDone) {
      const isLast = kills.length === wanted;
      const life = isLast ? undefined : startUp + share * random.uniform(0, 2);
      isDone = !(await train(options, run, life));
      if (!isDone) kills.push(unfinishedStage(run));
      task.update(kills.length);
    }
  }
  task.end(`${kills.length} kills in ${runs.length} run${runs.length === 1 ? '' : 's'}`);

  const models = weightFiles(undisturbed);
  const different = runs.flatMap((run) =>
    models
      .filter((file) => !sameBytes(path.join(undisturbed, file), path.join(run, file)))
      .map((file) => path.join(path.basename(run), file)),
  );
  return { kills, runs: runs.length, models: models.length, different };
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Runs the program until it is done or its time is up. Returns whether it was killed. */
async function train(
  { data, recipe, folder, trainArguments = [], signal }: VerifyResumeOptions,
  out: string,
  killAfterMilliseconds?: number,
): Promise<boolean> {
  if (signal?.aborted) throw interrupted();
  const args = ['--data', data, '--out', out, '--recipe', path.join(folder, 'recipe.yaml'), '--save-every', '0'];
  const child = spawn(process.execPath, [PROGRAM, 'train', recipe.method, ...args, ...trainArguments], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const kill = () => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  const closed = once(child, 'close') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  const timer = new AbortController();
  if (killAfterMilliseconds !== undefined) {
    sleep(killAfterMilliseconds, undefined, { signal: timer.signal }).then(kill, () => {});
  }
  const [code, killedBy] = await closed;
  timer.abort();
  signal?.removeEventListener('abort', kill);
  if (signal?.aborted) throw interrupted();
  if (code !== 0 && killedBy !== 'SIGKILL') {
    throw new ChronotopeError('training-failed', `a training run ended with code ${code}:\n${stderr.trim()}`, {
      hint: 'Mend what the lines above say, then verify again.',
    });
  }
  return killedBy === 'SIGKILL';
}

/** The stage whose folder says that it was begun and not finished; of a stage, only its name. */
function unfinishedStage(run: string): string | null {
  const stages = path.join(run, 'stages');
  if (!existsSync(stages)) return null;
  const folders = readdirSync(stages, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.parentPath);
  const unfinished = folders.find((stage) => !existsSync(path.join(stage, 'stage.json')));
  return unfinished === undefined ? null : path.relative(stages, unfinished);
}

function weightFiles(run: string): string[] {
  return readdirSync(run, { recursive: true, encoding: 'utf8' })
    .filter((file) => path.basename(file) === 'model.safetensors')
    .sort();
}

function sameBytes(one: string, other: string): boolean {
  return existsSync(other) && readFileSync(one).equals(readFileSync(other));
}
