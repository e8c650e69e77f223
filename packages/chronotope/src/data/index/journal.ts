import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { writeAtomically } from '@chronotope/torch';
import { z } from 'zod';
import { parseJsonLine, readLines } from '../json-lines.js';
import { LineWriter } from '../line-writer.js';
import {
  type FileState,
  failureSchema,
  fileStateSchema,
  type Outcome,
  videoFactsSchema,
  videoHeaderSchema,
} from './facts.js';

/** Raised whenever inspecting a file finds out something else than before; older entries are then not used. */
const VERSION = 2;

const inspection = z.object({
  version: z.literal(VERSION),
  /** Absolute path; with what is meant of it, where that is not the whole file. */
  path: z.string(),
  file: fileStateSchema,
  outcome: z.union([
    z.object({ video: videoFactsSchema, header: videoHeaderSchema.optional() }),
    z.object({ failure: failureSchema }),
  ]),
});

/** What the journal knows of a file: the state it was in and what inspecting it gave. */
export interface Inspection {
  path: string;
  file: FileState;
  outcome: Outcome;
}

interface Position {
  offset: number;
  length: number;
  bytes: number;
  modified: number;
  isFinal: boolean;
}

/**
 * Everything that inspecting files has given, one line a file, appended as soon as it is known. A kill at any instant
 * loses the files that were being inspected: a last line without its end is cut off when the journal is opened again, and a line that makes no sense counts as never written.
 *
 * In memory are only the places of the lines, so that it stays small however many files there are.
 */
export class Journal {
  readonly #file: string;
  readonly #mode: 'read' | 'write';
  readonly #handle: number;
  readonly #positions = new Map<string, Position>();
  readonly #pathOfHash = new Map<string, string>();
  #end = 0;
  /** One for all lines: hundreds of thousands of small buffers would pile up between two garbage collections. */
  #buffer = Buffer.alloc(4096);
  #superseded = 0;

  /** Opens a journal, or begins one; `mode` is `read` for looking things up while another process may write. */
  constructor(file: string, mode: 'read' | 'write' = 'write') {
    this.#file = file;
    this.#mode = mode;
    this.#handle = openSync(file, mode === 'read' ? 'r' : 'a+');
    this.#load();
    if (mode === 'write') ftruncateSync(this.#handle, this.#end);
  }

  /** Whether the file at this path is known with this size and time. */
  knows(path: string, stamp: Omit<FileState, 'sha256'>): boolean {
    const position = this.#positions.get(path);
    return position?.bytes === stamp.bytes && position.modified === stamp.modified && position.isFinal;
  }

  /** What is known of a file with these contents, wherever it was. */
  recallContents(sha256: string): Inspection | null {
    const path = this.#pathOfHash.get(sha256);
    const position = path === undefined ? undefined : this.#positions.get(path);
    const found = position?.isFinal ? this.#read(position) : null;
    return found?.file.sha256 === sha256 ? found : null;
  }

  /** The newest inspection of the file at this path. */
  of(path: string): Inspection | null {
    const position = this.#positions.get(path);
    return position === undefined ? null : this.#read(position);
  }

  /** Adds a line. The newest line of a path counts. */
  add({ path, file, outcome }: Inspection): void {
    const line = Buffer.from(`${JSON.stringify({ version: VERSION, path, file, outcome })}\n`);
    writeSync(this.#handle, line);
    this.#remember({ path, file, outcome }, { offset: this.#end, length: line.length - 1 });
    this.#end += line.length;
  }

  /** Closes the file, leaving out lines that newer ones have replaced. */
  close(): void {
    if (this.#superseded > 0 && this.#mode === 'write') this.#compact();
    closeSync(this.#handle);
  }

  #load(): void {
    for (const { text, offset, bytes, ended } of readLines(this.#file, 'journal-unreadable')) {
      if (!ended) break;
      this.#end = offset + bytes + 1;
      const parsed = parseJsonLine(text, inspection);
      if ('value' in parsed) this.#remember(parsed.value, { offset, length: bytes });
    }
  }

  #remember({ path, file, outcome }: Inspection, { offset, length }: { offset: number; length: number }): void {
    if (this.#positions.has(path)) this.#superseded += 1;
    this.#positions.set(path, {
      offset,
      length,
      bytes: file.bytes,
      modified: file.modified,
      isFinal: isFinal(outcome),
    });
    this.#pathOfHash.set(file.sha256, path);
  }

  #read(position: Position): Inspection {
    // Checked when it was loaded or added; checking again would double the time and the garbage.
    const { path, file, outcome } = JSON.parse(this.#line(position)) as Inspection;
    return { path, file, outcome };
  }

  #line({ offset, length }: Position): string {
    if (this.#buffer.length < length) this.#buffer = Buffer.alloc(2 * length);
    readSync(this.#handle, this.#buffer, 0, length, offset);
    return this.#buffer.toString('utf8', 0, length);
  }

  #compact(): void {
    writeAtomically(this.#file, (handle) => {
      const lines = new LineWriter(handle);
      for (const position of this.#positions.values()) lines.write(this.#line(position));
      lines.flush();
    });
  }
}

/** A file that took too long may not do so next time, so it is tried again. */
function isFinal(outcome: Outcome): boolean {
  return !('failure' in outcome && outcome.failure.code === 'timeout');
}
