import { existsSync } from 'node:fs';
import path from 'node:path';
import type { StoreFormat } from '@chronotope/video';
import type { FrameSettings } from '../recipes/parts.js';
import { readJson, writeJsonAtomic } from '../training/json-files.js';
import type { RunFolder } from './run-folder.js';

/** What `frames.json` in a run folder says. */
interface RunFrames {
  /** Absolute path of the frame store; null for `frames/` in the run folder. */
  store: string | null;
  format: StoreFormat;
}

/**
 * Where the frames of a run are, and with which settings they are stored. What was chosen when the run began stays, so
 * that a run that is continued, and its evaluation, see the same pixels.
 *
 * @param store a store that the caller names now
 */
export function runFrames(
  run: RunFolder,
  { frames }: { frames: FrameSettings },
  store?: string,
): { folder: string; settings: FrameSettings } {
  const file = run.path('frames.json');
  const known = existsSync(file) ? (readJson(file) as RunFrames) : null;
  const folder = store ?? known?.store ?? run.path('frames');
  return { folder, settings: { ...frames, format: known?.format ?? frames.format } };
}

/** Writes down where the frames of a run are, and in which format. */
export function recordRunFrames(run: RunFolder, folder: string, format: StoreFormat): void {
  const isOwn = path.resolve(folder) === path.resolve(run.path('frames'));
  const content: RunFrames = { store: isOwn ? null : path.resolve(folder), format };
  writeJsonAtomic(run.path('frames.json'), content);
}
