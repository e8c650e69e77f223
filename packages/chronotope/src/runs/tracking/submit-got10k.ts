import path from 'node:path';
import { readDataset } from '../../data/readers/read-dataset.js';
import { sequenceFrames, trackingSequences } from '../../data/tracking-sequences.js';
import { trackSequence } from '../../methods/siamfc/track-sequence.js';
import { writeFileAtomic } from '../../training/json-files.js';
import { type Progress, silentProgress } from '../../training/progress.js';
import { openTracker, type TrackerSpeed, withConvolutions } from './open-tracker.js';

/** Settings of {@link writeGot10kSubmission}. */
export interface SubmissionOptions extends TrackerSpeed {
  /** The test part of GOT-10k, whose truth is secret but for the first box, or any sequences. */
  data: string;
  /** The folder to write; its name is that of the tracker. */
  out: string;
  progress?: Progress;
  signal?: AbortSignal;
}

/**
 * Follows the object of every sequence outside the part `train` and writes what the server of GOT-10k takes, as the
 * official toolkit does: for each sequence `<id>/<id>_001.txt` with a box `x,y,width,height` a frame, three decimals, and
 * `<id>/<id>_time.txt` with the seconds of each frame. The folder is to be packed as a zip archive.
 *
 * @returns the number of sequences
 * @throws ChronotopeError those of `readDataset` and `openTracker`; `no-sequences`, `interrupted`
 */
export async function writeGot10kSubmission(
  run: string,
  { data, out, progress = silentProgress, signal, ...speed }: SubmissionOptions,
): Promise<number> {
  const { entries, notes } = await readDataset(data);
  for (const note of notes) progress.note(`  note: ${note}`);
  const tested = entries.filter(({ split }) => split !== 'train');
  const sequences = trackingSequences(tested, `the validation and test part of ${data}`);
  const { network, settings } = openTracker(run);
  const task = progress.begin(`tracking with ${run}`, sequences.length, 'sequences');
  try {
    await withConvolutions(speed, async () => {
      for (const [k, sequence] of sequences.entries()) {
        const { boxes, seconds } = await trackSequence(
          network,
          settings,
          sequenceFrames(sequence),
          sequence.boxes[0]!,
          signal,
        );
        const name = path.basename(sequence.id);
        const write = (kind: string, lines: readonly string[]) =>
          writeFileAtomic(path.join(out, name, `${name}_${kind}.txt`), `${lines.join('\n')}\n`);
        write(
          '001',
          boxes.map((box) => box.map((value) => value.toFixed(3)).join(',')),
        );
        write(
          'time',
          seconds.map((time) => time.toFixed(8)),
        );
        task.update(k + 1);
      }
    });
  } finally {
    network.dispose();
  }
  task.end(out);
  return sequences.length;
}
