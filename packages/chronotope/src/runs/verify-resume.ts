import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
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
  /** A new or empty folder for the two runs. */
  folder: string;
  /** How often the second run is killed. */
  kills: number;
  /** Decides when. Default 1. */
  seed?: number;
  progress?: Progress;
  signal?: AbortSignal;
}

/** What {@link verifyResume} found. */
export interface ResumeReport {
  /** Kills that hit a running program; it can finish before the last. */
  kills: number;
  /** Files of weights in each run. */
  models: number;
  /** Those that are not the same, byte for byte. */
  different: string[];
}

/**
 * Trains twice, once undisturbed and once killed (SIGKILL) at random moments and started again, and compares all weights.
 *
 * @throws ChronotopeError `training-failed` when a run ends with an error, `interrupted`
 */
export async function verifyResume(options: VerifyResumeOptions): Promise<ResumeReport> {
  const { recipe, folder, kills, seed = 1, progress = silentProgress } = options;
  writeFileAtomic(path.join(folder, 'recipe.yaml'), formatRecipe(recipe));
  const undisturbed = path.join(folder, 'undisturbed');
  const killed = path.join(folder, 'killed');

  const task = progress.begin('verifying resume', kills + 2, 'runs');
  const started = performance.now();
  await train(options, undisturbed);
  takeConvolutions(undisturbed, killed);
  const meanMilliseconds = (performance.now() - started) / (kills + 1);
  task.update(1);

  const random = randomStream(seed, 'kills');
  let hits = 0;
  for (let attempt = 0; attempt < kills; attempt++) {
    // A program that has just started has nothing to lose yet, so each gets some time to do something new.
    if (await train(options, killed, meanMilliseconds * random.uniform(0.5, 2))) hits++;
    task.update(attempt + 2);
  }
  await train(options, killed);
  task.end(`${hits} kills`);

  const models = weightFiles(undisturbed);
  const same = (file: string) =>
    existsSync(path.join(killed, file)) &&
    readFileSync(path.join(undisturbed, file)).equals(readFileSync(path.join(killed, file)));
  return { kills: hits, models: models.length, different: models.filter((file) => !same(file)) };
}

/**
 * Which convolution algorithms are the fastest is measured, and may come out otherwise a second time; only with the same
 * ones the same bits can be expected. A run that has measured some hands them on, with the file that makes the folder a run's.
 */
function takeConvolutions(from: string, to: string): void {
  if (!existsSync(path.join(from, 'convolutions.json'))) return;
  mkdirSync(to);
  for (const file of ['run.json', 'convolutions.json']) copyFileSync(path.join(from, file), path.join(to, file));
}

/** Runs the program until it is done or its time is up. Returns whether it was killed. */
async function train(
  { data, recipe, folder, signal }: VerifyResumeOptions,
  out: string,
  killAfterMilliseconds?: number,
): Promise<boolean> {
  if (signal?.aborted) throw interrupted();
  const args = ['--data', data, '--out', out, '--recipe', path.join(folder, 'recipe.yaml'), '--save-every', '0'];
  const child = spawn(process.execPath, [PROGRAM, 'train', recipe.method, ...args], {
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

function weightFiles(run: string): string[] {
  return readdirSync(run, { recursive: true, encoding: 'utf8' })
    .filter((file) => path.basename(file) === 'model.safetensors')
    .sort();
}
