import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { readDataset } from '../data/readers/read-dataset.js';
import { type TrackingSequence, trackingSequences } from '../data/tracking-sequences.js';
import { type WriteDemoSequencesOptions, writeDemoSequences } from '../demo/write-demo-sequences.js';

/** Writes a few demo sequences into a folder that is removed after the tests, and gives the folder. */
export async function demoSequences(options: WriteDemoSequencesOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'chronotope-sequences-'));
  after(() => rmSync(folder, { recursive: true }));
  await writeDemoSequences(folder, options);
  return folder;
}

/** The sequences of a folder's part. */
export async function readSequences(folder: string, part: 'train' | 'validation'): Promise<TrackingSequence[]> {
  const { entries } = await readDataset(folder);
  return trackingSequences(
    entries.filter(({ split }) => split === part),
    folder,
  );
}
