import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { writeAtomically } from '@chronotope/torch';
import { ChronotopeError } from '../../errors.js';
import type { Progress } from '../../training/progress.js';
import { LineWriter } from '../line-writer.js';
import { type ManifestEntry, portablePath } from '../manifest.js';
import { lockFolder } from './folder-lock.js';
import { HealthCollector, type HealthReport } from './health.js';
import { INDEX_FILES } from './index-files.js';
import { Inspector } from './inspector.js';
import { Journal } from './journal.js';
import { renderHealth } from './render-health.js';
import { type SourceReading, type VideoSource, videosOf } from './source.js';

/** What is indexed, and how. */
export interface IndexOptions {
  /** A folder of videos, images or archives, or a list of them (see {@link videosOf}). */
  source: string;
  /** The layout of the source, if it is not to be recognised, and what its reader can be told. */
  reading?: SourceReading;
  /** The folder to write to; made if there is none. */
  out: string;
  /** Files inspected at the same time. Default: the number of processors. */
  jobs?: number;
  /** Milliseconds that each pass over a file may take. Default 300,000. */
  timeoutMs?: number;
  progress?: Progress;
  /** Stops the work; everything found out so far is kept. */
  signal?: AbortSignal;
}

/** Files that are looked at together: small ones are decoded by one process. */
const FILES_TOGETHER = 16;

/**
 * Inspects every video of a source, writes a manifest of the usable ones and a quarantine of the others, and reports on the
 * health of the whole.
 *
 * What is found out is kept in a journal as it comes, so a run that was stopped or killed goes on where it was. A file whose
 * size and time are as before is not opened again; one that was moved, copied or touched is known by its contents.
 *
 * @throws ChronotopeError those of {@link videosOf}, `index-busy` when another process writes to the folder, `interrupted`
 * @throws VideoError `ffmpeg-missing`
 */
export async function indexVideos(options: IndexOptions): Promise<HealthReport> {
  const found = await videosOf(options.source, options.reading);
  const folder = resolve(options.out);
  mkdirSync(folder, { recursive: true });
  const unlock = lockFolder(folder);
  try {
    const journal = new Journal(join(folder, INDEX_FILES.journal));
    try {
      const inspector = await inspectAll(found.videos, journal, options);
      return writeResults(found, inspector, options);
    } finally {
      journal.close();
    }
  } finally {
    unlock();
  }
}

/** Brings the journal up to date with the files as they are. */
async function inspectAll(
  videos: readonly ManifestEntry[],
  journal: Journal,
  options: IndexOptions,
): Promise<Inspector> {
  const { out, jobs = availableParallelism(), timeoutMs = 300_000, progress, signal } = options;
  const task = progress?.begin('indexing', videos.length, 'videos');
  const stop = new AbortController();
  const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const inspector = new Inspector(journal, { timeoutMs, signal: stopped, folder: resolve(out) });
  const size = Math.min(FILES_TOGETHER, Math.ceil(videos.length / jobs));
  const groups = Array.from({ length: Math.ceil(videos.length / size) }, (_, k) =>
    videos.slice(k * size, (k + 1) * size),
  );
  const queue = groups.values();
  let done = 0;
  const lane = async (): Promise<void> => {
    for (const group of queue) {
      if (stopped.aborted) return;
      await inspector.visit(group, () => task?.update(++done));
    }
  };
  const stopAll = (error: unknown): never => {
    stop.abort();
    throw error;
  };
  const lanes = Array.from({ length: Math.min(jobs, groups.length) }, () => lane().catch(stopAll));
  // All lanes must have ended before the journal is closed.
  const ended = await Promise.allSettled(lanes);
  if (signal?.aborted) throw interrupted();
  const failed = ended.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  task?.end(`${inspector.inspected} inspected, ${videos.length - inspector.inspected} known`);
  return inspector;
}

function writeResults(
  { layout, videos, ignored, warnings }: VideoSource,
  inspector: Inspector,
  { source, out }: IndexOptions,
): HealthReport {
  const folder = resolve(out);
  const health = new HealthCollector();
  writeAtomically(join(folder, INDEX_FILES.quarantine), (quarantineFile) => {
    writeAtomically(join(folder, INDEX_FILES.manifest), (manifestFile) => {
      const manifest = new LineWriter(manifestFile);
      const quarantine = new LineWriter(quarantineFile);
      for (const entry of videos) {
        const portable = { ...entry, path: portablePath(folder, entry.path) };
        const known = inspector.of(entry);
        if ('failure' in known) {
          health.addFailure(entry, known.failure);
          quarantine.write(JSON.stringify({ ...portable, ...known.failure }));
        } else {
          health.add(entry, known);
          manifest.write(JSON.stringify({ ...portable, ...known }));
        }
      }
      manifest.flush();
      quarantine.flush();
    });
  });
  const report = health.report({
    ...{ source, layout, folder: out, warnings },
    ignored: withoutOwnFiles(ignored, source, folder),
  });
  writeText(join(folder, INDEX_FILES.report), `${JSON.stringify(report, null, 2)}\n`);
  writeText(join(folder, INDEX_FILES.reportText), renderHealth(report));
  return report;
}

/** The index itself may lie in the folder that is indexed. */
function withoutOwnFiles(ignored: readonly string[], source: string, folder: string): string[] {
  const own = `${relative(resolve(source), folder).split(sep).join('/')}/`;
  return ignored.filter((file) => !file.startsWith(own));
}

function writeText(file: string, text: string): void {
  writeAtomically(file, (handle) => {
    const lines = new LineWriter(handle);
    lines.write(text.trimEnd());
    lines.flush();
  });
}

function interrupted(): ChronotopeError {
  return new ChronotopeError('interrupted', 'interrupted', {
    hint: 'Run the same command again: it goes on where it was stopped.',
  });
}
