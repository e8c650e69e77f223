import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ChronotopeError } from '../errors.js';
import { type RandomStream, randomStream } from '../random.js';
import { formatRecipe } from '../recipes/load.js';
import type { Recipe } from '../recipes/schemas.js';
import { interrupted } from '../training/fit.js';
import { readJson, writeFileAtomic } from '../training/json-files.js';
import { type Progress, silentProgress } from '../training/progress.js';

const PROGRAM = fileURLToPath(new URL('../../bin/chronotope.js', import.meta.url));

/** Between two looks at a run, to see whether it has begun to work. */
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
  await train(options, undisturbed);
  const moments = killMoments(undisturbed, wanted, randomStream(seed, 'kills'));

  const kills: (string | null)[] = [];
  const runs: string[] = [];
  while (kills.length < wanted) {
    const run = path.join(folder, `killed-${runs.length + 1}`);
    runs.push(run);
    takeConvolutions(undisturbed, run);
    let wasKilled = true;
    while (wasKilled) {
      wasKilled = await train(options, run, moments[kills.length]);
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

/** When a program is killed: so long after a stage began, or went on from the kill before. */
interface KillMoment {
  stage: string;
  milliseconds: number;
}

/** Moments in the order in which they come, drawn uniformly from the time that the stages of a run have taken. */
function killMoments(run: string, count: number, random: RandomStream): KillMoment[] {
  const stages = stageFiles(run)
    .filter((file) => path.basename(file) === 'stage.json')
    .map((file) => ({ stage: stageOf(run, file), ...(readJson(file) as { finishedAt: string; seconds?: number }) }))
    .sort((a, b) => a.finishedAt.localeCompare(b.finishedAt));
  const total = stages.reduce((sum, { seconds = 0 }) => sum + seconds, 0);
  const drawn = Array.from({ length: count }, () => random.uniform(0, total)).sort((a, b) => a - b);
  let begin = 0;
  return stages.flatMap(({ stage, seconds = 0 }) => {
    const here = drawn.filter((moment) => begin <= moment && moment < begin + seconds);
    const moments = here.map((moment, k) => ({ stage, milliseconds: 1000 * (moment - (here[k - 1] ?? begin)) }));
    begin += seconds;
    return moments;
  });
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

/**
 * Runs the program until it is done or the moment has come.
 *
 * @returns whether it was killed
 */
async function train(
  { data, recipe, folder, trainArguments = [], signal }: VerifyResumeOptions,
  out: string,
  moment?: KillMoment,
): Promise<boolean> {
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
  if (moment) {
    const hasBegun = () => existsSync(path.join(out, 'stages', moment.stage)) && lastChange(out) !== before;
    while (!isOver() && !hasBegun()) await sleep(LOOK_MILLISECONDS);
    await Promise.race([sleep(moment.milliseconds), end]);
    if (!isOver()) kill();
  }
  const [code, killedBy] = await end;
  signal?.removeEventListener('abort', kill);
  if (signal?.aborted) throw interrupted();
  if (code !== 0 && killedBy !== 'SIGKILL') {
    throw new ChronotopeError('training-failed', `a training run ended with code ${code}:\n${stderr.trim()}`, {
      hint: 'Mend what the lines above say, then verify again.',
    });
  }
  return killedBy === 'SIGKILL';
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
  const unfinished = stageFiles(run).find((file) => !existsSync(path.join(path.dirname(file), 'stage.json')));
  return unfinished === undefined ? null : stageOf(run, unfinished);
}

/** The name of the stage that a file belongs to. */
function stageOf(run: string, file: string): string {
  return path.relative(path.join(run, 'stages'), path.dirname(file));
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
