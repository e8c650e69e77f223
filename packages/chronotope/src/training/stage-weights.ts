import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { nn } from '@chronotope/torch';
import type { Best } from './best.js';
import { loadModel, saveModel } from './checkpoint.js';
import { isFirst } from './processes.js';
import type { TrainingSettings } from './settings.js';
import type { StageFolder } from './stage-folder.js';
import type { WeightAverage } from './weight-average.js';

const BEST = /^best-(\d+)\.safetensors$/;
const CHECKPOINT = /^step-(\d+)\.safetensors$/;

type KeptWeights = Pick<TrainingSettings, 'ema' | 'validation' | 'checkpoints'>;

/**
 * The weights that a stage keeps. While it trains, `best-<step>.safetensors` holds those that measured best; it stays
 * until a saved training state knows a better one, so that a kill at any instant leaves the file that the state names.
 *
 * Of several processes only the first one writes. At the end `model.safetensors` holds the result, and beside it `best.safetensors` or `last.safetensors`,
 * `average.safetensors` or `weights.safetensors`: what could have been the result and is not.
 */
export class StageWeights {
  readonly #stage: StageFolder;
  readonly #module: nn.Module;
  readonly #average: WeightAverage | undefined;
  readonly #settings: KeptWeights;

  /**
   * @param module what is kept
   * @param average of the module, or of a larger one that it is a part of
   */
  constructor(stage: StageFolder, module: nn.Module, average: WeightAverage | undefined, settings: KeptWeights) {
    this.#stage = stage;
    this.#module = module;
    this.#average = average;
    this.#settings = settings;
  }

  /** The average if it is what is validated and becomes the result. */
  get averageInPlace(): WeightAverage | undefined {
    return this.#settings.ema.result === 'average' ? this.#average : undefined;
  }

  /** After each step, counted from 1: writes a checkpoint when the settings say so, and removes old ones. */
  step(step: number): void {
    const { every, keep } = this.#settings.checkpoints;
    if (every === null || step % every !== 0 || !isFirst()) return;
    this.#save(this.#file(`step-${step}`));
    this.#remove(CHECKPOINT, (other) => other <= step - keep * every);
  }

  /** The module's weights, or their average, have just measured best. */
  saveBest({ step }: Best): void {
    if (isFirst()) this.#save(this.#bestFile(step));
  }

  /** Removes the best weights of all steps but this one. */
  forgetOtherBest(step?: number): void {
    if (isFirst()) this.#remove(BEST, (other) => other !== step);
  }

  /** Writes the result and leaves the module with it. */
  finish(best: Best | undefined): void {
    const { ema, validation } = this.#settings;
    this.averageInPlace?.swap();
    const other = ema.result === 'average' ? 'weights' : 'average';
    this.#average?.using(() => saveModel(this.#stage, this.#module, this.#file(other)));
    if (best && best.step > 0) {
      if (validation.keep === 'best') {
        saveModel(this.#stage, this.#module, this.#file('last'));
        loadModel(this.#stage, this.#module, this.#bestFile(best.step));
      } else {
        copyFileSync(this.#bestFile(best.step), this.#file('best'));
      }
    }
    saveModel(this.#stage, this.#module);
  }

  /** Writes what would be the result now. */
  #save(file: string): void {
    const save = () => saveModel(this.#stage, this.#module, file);
    if (this.averageInPlace) this.averageInPlace.using(save);
    else save();
  }

  /** Removes the files of a kind whose steps are not wanted any more. */
  #remove(kind: RegExp, isOld: (step: number) => boolean): void {
    for (const file of readdirSync(this.#stage.folder)) {
      const step = kind.exec(file)?.[1];
      if (step !== undefined && isOld(Number(step))) rmSync(path.join(this.#stage.folder, file));
    }
  }

  #bestFile(step: number): string {
    return this.#file(`best-${step}`);
  }

  #file(name: string): string {
    return path.join(this.#stage.folder, `${name}.safetensors`);
  }
}
