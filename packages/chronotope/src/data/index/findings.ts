import type { VideoFacts } from './facts.js';
import { STILL } from './inspect-images.js';

/** How urgent a finding is: results will be wrong, something is probably not as wanted, good to know. */
export type Severity = 'error' | 'warning' | 'note';

/** Something about a data set that its owner should know. */
export interface Finding {
  /** Stable, in kebab case. */
  code: string;
  severity: Severity;
  /** What was found, without the number of videos. */
  title: string;
  /** How many videos, files, groups or classes it concerns. */
  count: number;
  /** The first few, each with what is special about it. */
  examples: string[];
  /** What to do about it. */
  advice: string;
}

const KEPT_EXAMPLES = 5;

/** Counts what a finding concerns and keeps the first few. */
export class Occurrences {
  count = 0;
  readonly examples: string[] = [];

  add(example: string): void {
    this.count += 1;
    if (this.examples.length < KEPT_EXAMPLES) this.examples.push(example);
  }
}

/** A finding about single videos. */
export interface VideoRule {
  code: string;
  severity: Severity;
  title: string;
  advice: string;
  /** What is special about this video, in a few words, or null if the rule does not apply. */
  applies: (video: VideoFacts) => string | null;
}

/** With fewer frames a clip of the usual length has to repeat some. */
const FEW_FRAMES = 16;
const SHORT_SECONDS = 0.5;
const SPARSE_SECONDS = 10;

/** What is looked for in every video that can be used, most urgent first. */
export const videoRules: readonly VideoRule[] = [
  {
    code: 'damaged',
    severity: 'warning',
    title: 'damaged, but usable',
    advice: 'A few frames are missing or smeared. Get better copies if you can.',
    applies: ({ warnings }) => warnings[0] ?? null,
  },
  {
    code: 'blank',
    severity: 'warning',
    title: 'without any contrast',
    advice: 'One plain colour from start to end. Remove them, or check the camera.',
    applies: ({ perceptualHash }) => (perceptualHash === null ? 'every frame is plain' : null),
  },
  {
    code: 'very-short',
    severity: 'warning',
    title: `very short: under ${FEW_FRAMES} frames or ${SHORT_SECONDS} s`,
    advice: 'Clips of them repeat frames. Remove them unless the action is that short.',
    applies: ({ container, frames, duration }) =>
      container !== STILL && (frames < FEW_FRAMES || duration < SHORT_SECONDS)
        ? `${frames} frame(s), ${seconds(duration)}`
        : null,
  },
  {
    code: 'wrong-duration',
    severity: 'warning',
    title: 'another duration than the header states',
    advice: 'The measured one is used here; other programs may believe the header.',
    applies: wrongDuration,
  },
  {
    code: 'wrong-frame-rate',
    severity: 'warning',
    title: 'another frame rate than the header states',
    advice: 'The measured one is used here; other programs may play them too fast or too slow.',
    applies: ({ fps, statedFps, variableFrameRate, frames }) =>
      !variableFrameRate && frames > 1 && Math.abs(fps - statedFps) > 0.02 * statedFps
        ? `states ${fps2(statedFps)}, has ${fps2(fps)} frames/s`
        : null,
  },
  {
    code: 'variable-frame-rate',
    severity: 'note',
    title: 'variable frame rate',
    advice: 'Give a frame rate (frames.fps of the recipe), so that clips are even in time.',
    applies: ({ variableFrameRate, fps }) => (variableFrameRate ? `${fps2(fps)} frames/s on average` : null),
  },
  {
    code: 'sparse-key-frames',
    severity: 'note',
    title: `over ${SPARSE_SECONDS} s between key frames`,
    advice: 'Jumping into them is slow; training is not, because videos are decoded once.',
    applies: ({ keyframeSpacing }) => (keyframeSpacing > SPARSE_SECONDS ? seconds(keyframeSpacing) : null),
  },
  {
    code: 'no-stated-duration',
    severity: 'note',
    title: 'no duration in the header',
    advice: 'Nothing to do: the duration was measured.',
    applies: ({ statedDuration, duration }) => (statedDuration === null ? `measured: ${seconds(duration)}` : null),
  },
  {
    code: 'rotated',
    severity: 'note',
    title: 'turned by the header',
    advice: 'Nothing to do: they are turned upright when decoded.',
    applies: ({ rotation }) => (rotation === 0 ? null : `${rotation}° clockwise`),
  },
  {
    code: 'non-square-pixels',
    severity: 'note',
    title: 'pixels that are not square',
    advice: 'Nothing to do: they are stretched when decoded.',
    applies: ({ sampleAspectRatio }) =>
      Math.abs(sampleAspectRatio - 1) < 0.01 ? null : `${sampleAspectRatio.toFixed(3)} : 1`,
  },
];

function wrongDuration({ statedDuration, durationOf, duration, startTime, container, fps }: VideoFacts): string | null {
  if (statedDuration === null) return null;
  // Matroska states the end of the last frame, counted from 0.
  const measured = container.includes('matroska') ? startTime + duration : duration;
  const tolerance = Math.max(0.05 * measured, 2 / fps, 0.1);
  // Sound may go on after the last picture, so a container's duration may be too long without being wrong.
  const isWrong =
    durationOf === 'stream' ? Math.abs(statedDuration - measured) > tolerance : measured > statedDuration + tolerance;
  return isWrong ? `states ${seconds(statedDuration)}, has ${seconds(measured)}` : null;
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function fps2(value: number): string {
  return String(Number(value.toFixed(2)));
}
