import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { ChronotopeError } from '../errors.js';
import { readJson, writeJsonAtomic } from '../training/json-files.js';
import { StageFolder } from '../training/stage-folder.js';

const FORMAT = 'chronotope-run';
const VERSION = 1;

/** Something besides recipe, videos and labels that a run is made from. */
export interface RunOrigin {
  /** For people, such as `captions`. */
  what: string;
  hash: string;
}

/** What every run folder says of itself, in `run.json`. */
export interface RunDescription {
  method: string;
  /** Class names; a classifier's output k is `classes[k]`. */
  classes: string[];
  /** Hash of everything that decides the results: the recipe, the videos, the labels and the origin. */
  fingerprint: string;
  /** What else decides the results; absent where nothing does. */
  origin?: RunOrigin;
  createdAt: string;
}

/** Whether a folder holds a run, of whatever kind and version. */
export function hasRun(folder: string): boolean {
  return existsSync(path.join(folder, 'run.json'));
}

/**
 * The folder of one training run.
 *
 * ```
 * run.json            what this is; written when the run starts
 * recipe.yaml         every setting, resolved
 * environment.json    versions and machine
 * data.json           training and test videos and the labels of each draw; excluded.json: videos left out, with reasons
 * validation.json     for each draw the videos that training was measured on, if it was
 * frames/             decoded frames, unless they are in a store elsewhere; frames.json: where, and in which format
 * stages/<stage>/     model.safetensors, metrics.jsonl, and stage.json, written last; see docs/training.md
 * convolutions.json   with training.convolutions=tuned what was measured; convolutions-<rank>.json: by other processes
 * evaluation.json     accuracies on the test part; evaluation-<protocol>.json: k-NN, linear probes, retrieval, fine-tuning
 * fine-tuned/         networks that the protocol fine-tune has trained, as stages; may be removed
 * ```
 *
 * A stage counts as done when its `stage.json` exists, so a kill at any instant leaves a folder that can be continued.
 */
export class RunFolder {
  private constructor(
    readonly folder: string,
    readonly description: RunDescription,
  ) {}

  /**
   * Starts a run in a new or empty folder, or continues the same run.
   *
   * @throws ChronotopeError `not-a-run-folder` when the folder holds other files; `run-differs` when it holds a run with
   *   other settings or other data
   */
  static createOrContinue(folder: string, description: Omit<RunDescription, 'createdAt'>): RunFolder {
    if (hasRun(folder)) {
      const existing = RunFolder.open(folder);
      if (existing.description.fingerprint !== description.fingerprint) {
        const had = existing.description.origin;
        const other = had && had.hash !== description.origin?.hash ? had.what : 'settings, videos or labels';
        throw new ChronotopeError('run-differs', `${folder} holds a run with other ${other}`, {
          hint: 'Choose another --out folder, or repeat the settings and data of the first run to continue it.',
        });
      }
      return existing;
    }
    if (existsSync(folder) && readdirSync(folder).length > 0) {
      throw new ChronotopeError('not-a-run-folder', `${folder} is not empty and is not a Chronotope run`, {
        hint: 'Choose a new or empty folder for --out.',
      });
    }
    mkdirSync(folder, { recursive: true });
    const complete = { ...description, createdAt: new Date().toISOString() };
    writeJsonAtomic(path.join(folder, 'run.json'), { format: FORMAT, version: VERSION, ...complete });
    return new RunFolder(folder, complete);
  }

  /** @throws ChronotopeError `not-a-run-folder` when the folder was not made by a training run of this program */
  static open(folder: string): RunFolder {
    const file = path.join(folder, 'run.json');
    if (!existsSync(file)) {
      throw new ChronotopeError('not-a-run-folder', `${folder} is not a run folder: it has no run.json`, {
        hint: 'Give the folder that `chronotope train … --out <folder>` wrote.',
      });
    }
    const content = readJson(file) as Partial<RunDescription> & { format?: string; version?: number };
    if (content.format !== FORMAT || !Array.isArray(content.classes)) {
      throw new ChronotopeError('not-a-run-folder', `${file} was not written by Chronotope`, {
        hint: 'Give the folder that `chronotope train … --out <folder>` wrote.',
      });
    }
    if (content.version !== VERSION) {
      throw new ChronotopeError('run-version', `${file} has format version ${content.version}, this program reads 1`, {
        hint: 'Use the version of Chronotope that made the run, or train again.',
      });
    }
    const { method, classes, fingerprint, origin, createdAt } = content as RunDescription;
    return new RunFolder(folder, { method, classes, fingerprint, origin, createdAt });
  }

  path(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  stage(name: string): StageFolder {
    return new StageFolder(this.path('stages', name), name, this.folder);
  }
}
