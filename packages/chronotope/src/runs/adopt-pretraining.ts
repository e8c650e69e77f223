import { cpSync } from 'node:fs';
import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ManifestEntry } from '../data/manifest.js';
import { ChronotopeError } from '../errors.js';
import { isMapping } from '../mapping.js';
import { PRETRAINING_STAGES, pretrainingStages } from '../methods/timebalance/stages.js';
import type { TimeBalanceRecipe } from '../recipes/timebalance.js';
import { readRunData } from './run-data.js';
import type { RunFolder } from './run-folder.js';
import { classifierRecipe } from './run-recipe.js';

/** Settings of `training` that only write files, measure classifiers, or change the last bits. */
const WITHOUT_EFFECT = ['tensorboard', 'checkpoints', 'validation', 'threads'];

/** The settings that decide about the networks that are pre-trained without labels. */
export function pretrainingSettings(recipe: TimeBalanceRecipe): Record<string, unknown> {
  const { seed, frames, clips, inputSize, model, pretrain } = recipe;
  const training = Object.entries(recipe.training).filter(([name]) => !WITHOUT_EFFECT.includes(name));
  return { seed, frames, clips, inputSize, model, pretrain, training: Object.fromEntries(training) };
}

/**
 * Says before a run starts whether it would pre-train the networks that another one has.
 *
 * @param training the training videos of the new run; their labels do not matter, nor do their folders, in which a video
 *   changes its place when it gets a label
 * @throws ChronotopeError `pretraining-differs`, naming the settings and the videos in which the two differ;
 *   `training-videos-unknown`
 */
export function checkPretraining(from: RunFolder, recipe: TimeBalanceRecipe, training: readonly ManifestEntry[]): void {
  const differences = [
    ...differentSettings(pretrainingSettings(classifierRecipe(from)), pretrainingSettings(recipe)),
    ...differentVideos(readRunData(from).train, training),
  ];
  if (differences.length === 0) return;
  const lines = differences.map((difference) => `\n  ${difference}`);
  throw new ChronotopeError('pretraining-differs', `${from.folder} was pre-trained otherwise:${lines.join('')}`, {
    hint: 'Repeat its settings and videos, or leave --pretrained out and train all stages.',
    details: { differences },
  });
}

/**
 * Copies the pre-trained networks of a finished or interrupted run into a new one, which then only needs its labels.
 * Stages that the new run has already are left alone; second networks of a kind, which few runs have, are trained where the
 * other run has none. The two must agree: {@link checkPretraining}.
 *
 * @throws ChronotopeError `pretraining-missing` when the other run has not finished them
 */
export function adoptPretraining(from: RunFolder, run: RunFolder, recipe: TimeBalanceRecipe): void {
  for (const name of pretrainingStages(recipe)) {
    const stage = run.stage(name);
    if (stage.isDone) continue;
    const source = from.stage(name);
    const isExtra = !(PRETRAINING_STAGES as readonly string[]).includes(name);
    if (isExtra && !source.isDone) continue;
    if (!source.isDone) {
      throw new ChronotopeError('pretraining-missing', `${from.folder} has no finished stage ${name}`, {
        hint: 'Continue that run with the command that started it, or leave --pretrained out.',
      });
    }
    stage.begin();
    // `stage.json`, which makes the stage count as done, must come last.
    cpSync(source.folder, stage.folder, { recursive: true, filter: (file) => !file.endsWith('stage.json') });
    const { stage: _, finishedAt: __, ...result } = source.result();
    stage.finish({ ...result, from: from.folder });
  }
}

/** `pretrain.student.epochs: 12 there, 20 here`, for each setting that differs. */
function differentSettings(there: object, here: object, prefix = ''): string[] {
  return Object.entries(here).flatMap(([name, value]) => {
    const other: unknown = (there as Record<string, unknown>)[name];
    if (isDeepStrictEqual(value, other)) return [];
    const key = `${prefix}${name}`;
    return isMapping(value) && isMapping(other)
      ? differentSettings(other, value, `${key}.`)
      : [`${key}: ${JSON.stringify(other)} there, ${JSON.stringify(value)} here`];
  });
}

function differentVideos(there: readonly ManifestEntry[], here: readonly ManifestEntry[]): string[] {
  const [known, wanted] = [there, here].map((entries) => countsByName(entries)) as [Counts, Counts];
  return [
    ...missing(wanted, known).map((example) => `training videos: ${example} only here`),
    ...missing(known, wanted).map((example) => `training videos: ${example} only there`),
  ];
}

type Counts = ReadonlyMap<string, number>;

function countsByName(entries: readonly ManifestEntry[]): Counts {
  const counts = new Map<string, number>();
  for (const { id } of entries) counts.set(basename(id), (counts.get(basename(id)) ?? 0) + 1);
  return counts;
}

/** How many of some videos the others lack, in words; nothing if none. */
function missing(videos: Counts, others: Counts): string[] {
  const more = [...videos].map(([name, count]) => ({ name, count: count - (others.get(name) ?? 0) }));
  const lacking = more.filter(({ count }) => count > 0);
  const total = lacking.reduce((sum, { count }) => sum + count, 0);
  return total === 0 ? [] : [total === 1 ? lacking[0]!.name : `${total}, such as ${lacking[0]!.name},`];
}
