import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { decodeEvent, encodeEvent, type SummaryValue } from './messages.js';
import { decodeRecords, encodeRecord } from './records.js';

/** A file of events that TensorBoard finds by its name and reads while it grows. */
export class EventFile {
  readonly #path: string;
  /** Whether nothing of an earlier attempt is in it. */
  readonly isNew: boolean;

  /**
   * Begins a file, or goes on with that of an interrupted attempt: what it wrote after the last state that it saved goes,
   * and so does an event that a kill cut short, so that no step has two events.
   *
   * @param path its name must contain `tfevents`
   * @param resumeStep the step of the saved state, 0 at the start
   */
  constructor(path: string, resumeStep: number) {
    this.#path = path;
    const end = existsSync(path) ? endOfStep(readFileSync(path), resumeStep) : 0;
    if (existsSync(path)) truncateSync(path, end);
    this.isNew = end === 0;
    if (this.isNew) this.#append(0, { fileVersion: 'brain.Event:2' });
  }

  /** Values measured after a step, counted from 1; steps must not fall. */
  write(step: number, values: SummaryValue[]): void {
    this.#append(step, { summary: { value: values } });
  }

  #append(step: number, what: { fileVersion: string } | { summary: { value: SummaryValue[] } }): void {
    appendFileSync(this.#path, encodeRecord(encodeEvent({ wallTime: Date.now() / 1000, step, ...what })));
  }
}

/** Where the events of a step and of those before it end. */
function endOfStep(file: Buffer, step: number): number {
  let end = 0;
  for (const record of decodeRecords(file)) {
    if (decodeEvent(record.data).step > step) break;
    end = record.end;
  }
  return end;
}
