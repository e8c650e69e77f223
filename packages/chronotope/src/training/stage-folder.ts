import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { SkippedSample } from '../data/damaged-videos.js';
import { readJson, writeFileAtomic, writeJsonAtomic } from './json-files.js';
import type { MetricsLine } from './metrics-window.js';

/** A sample that a training step could not have; steps count from 1. */
export interface LoggedSkip extends SkippedSample {
  step: number;
}

/** One stage of a run. */
export class StageFolder {
  /** @param shared the folder for what the stages of a run share; by default the one around this stage's */
  constructor(
    readonly folder: string,
    readonly name: string,
    private readonly shared: string = path.dirname(folder),
  ) {}

  get modelFile(): string {
    return path.join(this.folder, 'model.safetensors');
  }

  /** Which algorithm a process computes which convolution with; all stages use the same, and an interrupted one too. */
  convolutionsFile(rank: number): string {
    return path.join(this.shared, rank === 0 ? 'convolutions.json' : `convolutions-${rank}.json`);
  }

  get isDone(): boolean {
    return existsSync(this.resultFile);
  }

  /** The state of an interrupted attempt, if there is one. */
  get stateFile(): string {
    return path.join(this.folder, 'state.safetensors');
  }

  /** Empties what an interrupted attempt left behind. */
  begin(): void {
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
  }

  /** Drops what an interrupted attempt logged after the last state it saved. */
  rewindLog(step: number): void {
    for (const file of [this.metricsFile, this.skippedFile].filter((file) => existsSync(file))) {
      const lines = readFileSync(file, 'utf8').split('\n');
      const kept = lines.filter((line) => stepOf(line) <= step);
      writeFileAtomic(file, kept.map((line) => `${line}\n`).join(''));
    }
  }

  /** Appends one line to `metrics.jsonl`. */
  log(line: MetricsLine): void {
    appendFileSync(this.metricsFile, `${JSON.stringify(line)}\n`);
  }

  /** Appends the samples that a step could not have to `skipped.jsonl`. */
  logSkipped(samples: readonly LoggedSkip[]): void {
    appendFileSync(this.skippedFile, samples.map((sample) => `${JSON.stringify(sample)}\n`).join(''));
  }

  /** What {@link logSkipped} wrote, also in an earlier attempt. */
  skipped(): LoggedSkip[] {
    if (!existsSync(this.skippedFile)) return [];
    const lines = readFileSync(this.skippedFile, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LoggedSkip);
  }

  /** The lines logged so far, without one that a kill cut short. */
  metrics(): MetricsLine[] {
    if (!existsSync(this.metricsFile)) return [];
    const lines = readFileSync(this.metricsFile, 'utf8').split('\n');
    return lines.filter((line) => Number.isFinite(stepOf(line))).map((line) => JSON.parse(line) as MetricsLine);
  }

  /** Writes down with which samples a step failed. Returns the file. */
  logFailure(failure: Record<string, unknown>): string {
    const file = path.join(this.folder, 'failed-step.json');
    writeJsonAtomic(file, failure);
    return file;
  }

  /** Marks the stage as done. */
  finish(result: Record<string, unknown>): void {
    writeJsonAtomic(this.resultFile, { stage: this.name, finishedAt: new Date().toISOString(), ...result });
  }

  /** What {@link finish} stored. */
  result(): Record<string, unknown> {
    return readJson(this.resultFile) as Record<string, unknown>;
  }

  private get metricsFile(): string {
    return path.join(this.folder, 'metrics.jsonl');
  }

  private get skippedFile(): string {
    return path.join(this.folder, 'skipped.jsonl');
  }

  private get resultFile(): string {
    return path.join(this.folder, 'stage.json');
  }
}

/** Infinity for a line that a kill cut short. */
function stepOf(line: string): number {
  try {
    return (JSON.parse(line) as { step: number }).step;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
