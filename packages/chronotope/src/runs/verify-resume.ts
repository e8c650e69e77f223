import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
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

/** Between two looks at a run, to see whether it has begun to work or has worked long enough. */
const LOOK_MILLISECONDS = 10;

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
  const whole = await train(options, undisturbed);
  const share = whole.milliseconds / (wanted + 1);
  const random = randomStream(seed, 'kills');

  const kills: (string | null)[] = [];
  const runs: string[] = [];
  while (kills.length < wanted) {
    const run = path.join(folder, `killed-${runs.length + 1}`);
    runs.push(run);
    let isDone = false;
    while (!isDone) {
      const isLast = kills.length === wanted;
      const { wasKilled } = await train(options, run, isLast ? undefined : share * random.uniform(0, 2));
      isDone = !wasKilled;
      if (wasKilled) kills.push(unfinishedStage(run));
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

/**
 * Runs the program until it is done or has worked for some time: from the first change in its stages, because a program that
 * has only started has nothing to lose.
 */
async function train(
  { data, recipe, folder, trainArguments = [], signal }: VerifyResumeOptions,
  out: string,
  killAfterMilliseconds = Number.POSITIVE_INFINITY,
): Promise<{ wasKilled: boolean; milliseconds: number }> {
  if (signal?.aborted) throw interrupted();
  const before = lastChange(out);
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
  const end = once(child, 'close') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  while (!isOver() && lastChange(out) === before) await sleep(LOOK_MILLISECONDS);
  const began = performance.now();
  while (!isOver() && performance.now() - began < killAfterMilliseconds) await sleep(LOOK_MILLISECONDS);
  if (!isOver()) kill();
  const [code, killedBy] = await end;
  const milliseconds = performance.now() - began;
  signal?.removeEventListener('abort', kill);
  if (signal?.aborted) throw interrupted();
  if (code !== 0 && killedBy !== 'SIGKILL') {
    throw new ChronotopeError('training-failed', `a training run ended with code ${code}:\n${stderr.trim()}`, {
      hint: 'Mend what the lines above say, then verify again.',
    });
  }
  return { wasKilled: killedBy === 'SIGKILL', milliseconds };
}

/** When a file in the stages of a run was last changed; 0 before there is one, NaN where a folder is just being emptied. */
function lastChange(run: string): number {
  try {
    return Math.max(0, ...stageFiles(run).map((file) => statSync(file).mtimeMs));
  } catch {
    return Number.NaN;
  }
}

/** The stage whose folder says that it was begun and not finished. */
function unfinishedStage(run: string): string | null {
  const folders = stageFiles(run).map((file) => path.dirname(file));
  const unfinished = folders.find((stage) => !existsSync(path.join(stage, 'stage.json')));
  return unfinished === undefined ? null : path.relative(path.join(run, 'stages'), unfinished);
}

function stageFiles(run: string): string[] {
  const stages = path.join(run, 'stages');
  if (!existsSync(stages)) return [];
  return readdirSync(stages, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

function weightFiles(run: string): string[] {
  return readdirSync(run, { recursive: true, encoding: 'utf8' })
    .filter((file) => path.basename(file) === 'model.safetensors')
    .sort();
}

function sameBytes(one: string, other: string): boolean {
  return existsSync(other) && readFileSync(one).equals(readFileSync(other));
}
