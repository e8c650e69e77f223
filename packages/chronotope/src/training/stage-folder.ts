import { appendFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { MetricsLine } from './fit.js';
import { readJson, writeJsonAtomic } from './json-files.js';

/** One stage of a run. */
export class StageFolder {
  constructor(
    readonly folder: string,
    readonly name: string,
  ) {}

  get modelFile(): string {
    return path.join(this.folder, 'model.safetensors');
  }

  get isDone(): boolean {
    return existsSync(this.resultFile);
  }

  /** Empties what an interrupted attempt left behind. */
  begin(): void {
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
  }

  /** Appends one line to `metrics.jsonl`. */
  log(line: MetricsLine): void {
    appendFileSync(path.join(this.folder, 'metrics.jsonl'), `${JSON.stringify(line)}\n`);
  }

  /** Marks the stage as done. */
  finish(result: Record<string, unknown>): void {
    writeJsonAtomic(this.resultFile, { stage: this.name, finishedAt: new Date().toISOString(), ...result });
  }

  /** What {@link finish} stored. */
  result(): Record<string, unknown> {
    return readJson(this.resultFile) as Record<string, unknown>;
  }

  private get resultFile(): string {
    return path.join(this.folder, 'stage.json');
  }
}
