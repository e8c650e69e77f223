import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { readDataset } from '../../data/readers/read-dataset.js';
import {
  sequenceFrames,
  sequenceSizes,
  type TrackingSequence,
  trackingSequences,
} from '../../data/tracking-sequences.js';
import { ChronotopeError } from '../../errors.js';
import {
  type TrackedSequence,
  type TrackingScores,
  trackingScores,
  withThreeDecimals,
} from '../../evaluation/tracking/tracking-scores.js';
import { renderTrackingReport } from '../../explain/tracking-report.js';
import { trackSequence } from '../../methods/siamfc/track-sequence.js';
import { writeFileAtomic, writeJsonAtomic } from '../../training/json-files.js';
import { type Progress, silentProgress } from '../../training/progress.js';
import { type OpenTracker, openTracker, type TrackerSpeed, withConvolutions } from './open-tracker.js';
import { writeSequenceVideo } from './tracking-video.js';

/** Settings of {@link evaluateTrackers}. */
export interface EvaluateTrackersOptions extends TrackerSpeed {
  /** Sequences in the layout of OTB or GOT-10k, or a manifest with boxes. */
  data: string;
  /** Only the sequences of these names. Default: all. */
  sequences?: readonly string[];
  /** Writes each sequence with the tracked and the true box as a video, too. */
  videos?: boolean;
  /** The HTML report. Default: `tracking/report.html` in the first run folder. */
  report?: string;
  progress?: Progress;
  signal?: AbortSignal;
}

/** What a tracker reached. */
export interface TrackerEvaluation {
  /** The run folder. */
  run: string;
  data: string;
  /** Frames that the tracker looked at in a second, without reading them. */
  framesPerSecond: number;
  scores: TrackingScores;
}

/** What {@link evaluateTrackers} found and wrote. */
export interface TrackersEvaluation {
  trackers: TrackerEvaluation[];
  report: string;
}

/**
 * Follows the object of every test sequence with the trackers of one or more runs, and scores them by the rules of OTB and
 * of GOT-10k. Each run folder gets `tracking/evaluation.json`, the boxes of each sequence in `tracking/boxes/`, and videos.
 *
 * Sequences of the part `train`, and those whose truth is secret, are not used.
 *
 * @throws ChronotopeError those of `readDataset` and `openTracker`; `no-sequences`, `sequence-unknown`, `interrupted`
 */
export async function evaluateTrackers(
  runs: readonly string[],
  options: EvaluateTrackersOptions,
): Promise<TrackersEvaluation> {
  const { data, report = path.join(runs[0]!, 'tracking', 'report.html') } = options;
  const sequences = await testSequences(options);
  const trackers: TrackerEvaluation[] = [];
  await withConvolutions(options, async () => {
    for (const run of runs) trackers.push(await evaluateTracker(run, sequences, options));
  });
  const results = trackers.map(({ run, ...result }) => ({ name: path.basename(path.resolve(run)), ...result }));
  writeFileAtomic(report, renderTrackingReport(path.basename(path.resolve(data)), results));
  return { trackers, report };
}

async function testSequences({ data, sequences: names, progress = silentProgress }: EvaluateTrackersOptions) {
  const { entries, notes } = await readDataset(data);
  for (const note of notes) progress.note(`  note: ${note}`);
  const tested = entries.filter(({ split }) => split === 'test' || split === 'validation');
  const all = trackingSequences(tested.length > 0 ? tested : [], `the validation and test part of ${data}`);
  const known = all.filter(({ frames, boxes }) => frames.length === boxes.length);
  if (known.length < all.length)
    progress.note(`  note: ${all.length - known.length} sequences with secret truth left out`);
  const missing = names?.find((name) => known.every(({ id }) => id !== name));
  if (missing !== undefined) {
    throw new ChronotopeError('sequence-unknown', `${data} has no test sequence "${missing}" with boxes`, {
      hint: `Sequences are ${known
        .slice(0, 8)
        .map(({ id }) => id)
        .join(', ')}${known.length > 8 ? ', …' : ''}.`,
    });
  }
  return names === undefined ? known : known.filter(({ id }) => names.includes(id));
}

async function evaluateTracker(
  folder: string,
  sequences: readonly TrackingSequence[],
  options: EvaluateTrackersOptions,
): Promise<TrackerEvaluation> {
  const { data, progress = silentProgress } = options;
  const tracker = openTracker(folder);
  const sizes = sequenceSizes(sequences);
  const task = progress.begin(`tracking with ${folder}`, sequences.length, 'sequences');
  const tracked: TrackedSequence[] = [];
  let seconds = 0;
  let frames = 0;
  try {
    for (const [k, sequence] of sequences.entries()) {
      const { network, settings } = tracker;
      const images = sequenceFrames(sequence);
      const track = await trackSequence(network, settings, images, sequence.boxes[0]!, options.signal);
      const result = { ...sequence, predicted: track.boxes, truth: sequence.boxes, image: sizes[k]! };
      // Looking at the object for the first time is not following it.
      seconds += track.seconds.slice(1).reduce((sum, one) => sum + one, 0);
      frames += track.boxes.length - 1;
      tracked.push(result);
      await writeTrack(tracker, sequence, result, options);
      task.update(k + 1, `${(frames / seconds).toFixed(1)} frames/s`);
    }
  } finally {
    tracker.network.dispose();
  }
  task.end(`${(frames / seconds).toFixed(1)} frames/s`);
  const evaluation = { run: folder, data, framesPerSecond: frames / seconds, scores: trackingScores(tracked) };
  writeJsonAtomic(tracker.run.path('tracking', 'evaluation.json'), evaluation);
  return evaluation;
}

/** The boxes as the benchmarks' toolkits read them, and the video. */
async function writeTrack(
  { run }: OpenTracker,
  { id, frames }: TrackingSequence,
  { predicted, truth, image }: TrackedSequence,
  { videos, signal }: EvaluateTrackersOptions,
): Promise<void> {
  const name = id.replaceAll('/', '-');
  const lines = predicted.map((box) => `${withThreeDecimals(box).join(',')}\n`);
  writeFileAtomic(run.path('tracking', 'boxes', `${name}.txt`), lines.join(''));
  if (!videos) return;
  mkdirSync(run.path('tracking', 'videos'), { recursive: true });
  const file = run.path('tracking', 'videos', `${name}.mp4`);
  await writeSequenceVideo(file, { frames, tracked: predicted, truth }, { ...image, signal });
}
