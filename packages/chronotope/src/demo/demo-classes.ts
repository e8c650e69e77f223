import type { RandomStream } from '../random.js';
import {
  drawBar,
  drawCrescent,
  drawCross,
  drawDots,
  drawRing,
  drawStripes,
  drawWedge,
  drawZigzag,
} from './appearances.js';
import { growing, opening, travelling, turning } from './changes.js';
import type { Shape } from './figures.js';

/** What one frame shows of the figure. */
export interface Pose {
  shape: Shape;
  /** Size relative to the usual one. */
  scale: number;
  /** Place relative to the usual one, in picture widths; y points down. */
  x: number;
  y: number;
  /** Turned by so many radians, clockwise. */
  turn: number;
}

/** The figure at a time in seconds from the first frame on. */
export type Action = (seconds: number) => Pose;

/** What a figure does in one video, and one of the several ways in which its class is drawn or performed. */
export interface Performance {
  action: Action;
  /** Names the way, for captions; which ways a class has is in {@link DemoClass.styles}. */
  style: string;
}

/** One class of the demo videos. */
export interface DemoClass {
  name: string;
  /** `appearance`: any single frame tells the class. `time`: only the order of the frames does. */
  kind: 'appearance' | 'time';
  /** The class that shows the same backwards; `null` for those of appearance. */
  partner: string | null;
  /** The ways in which it is drawn or performed. */
  styles: readonly string[];
  /**
   * Draws what the figure of one video does.
   *
   * @param duration of the video, in seconds
   */
  perform: (random: RandomStream, duration: number) => Performance;
}

/**
 * The classes of the demo. Eight are told apart by the shape of a figure, the other eight are four pairs of one change
 * and the same change backwards: the frames of a pair are the same, only their order differs. Every class is drawn or
 * performed in several ways, so that a few examples do not show all there is to it.
 */
export const demoClasses: readonly DemoClass[] = [
  unchanging('ring', drawRing),
  unchanging('bar', drawBar),
  unchanging('wedge', drawWedge),
  unchanging('stripes', drawStripes),
  unchanging('crescent', drawCrescent),
  unchanging('dots', drawDots),
  unchanging('cross', drawCross),
  unchanging('zigzag', drawZigzag),
  ...pair(['grow', 'shrink'], growing),
  ...pair(['open', 'close'], opening),
  ...pair(['right', 'left'], travelling),
  ...pair(['clockwise', 'anticlockwise'], turning),
];

/** Draws a figure in one of several ways. */
export type Appearance = Readonly<Record<string, (random: RandomStream) => Shape>>;

/** Draws a change by its progress in 0..1, in one of several ways. */
export type Change = Readonly<Record<string, (random: RandomStream) => (progress: number) => Pose>>;

function unchanging(name: string, appearance: Appearance): DemoClass {
  const styles = Object.keys(appearance);
  const perform = (random: RandomStream): Performance => {
    const style = styles[random.int(styles.length)]!;
    const pose = { shape: appearance[style]!(random), scale: 1, x: 0, y: 0, turn: 0 };
    return { action: () => pose, style };
  };
  return { name, kind: 'appearance', partner: null, styles, perform };
}

function pair([forwards, backwards]: readonly [string, string], change: Change): [DemoClass, DemoClass] {
  const styles = Object.keys(change);
  const perform: DemoClass['perform'] = (random, duration) => {
    const style = styles[random.int(styles.length)]!;
    const progress = drawProgress(random, duration);
    const poseAt = change[style]!(random);
    return { action: (seconds) => poseAt(progress(seconds)), style };
  };
  const reversed: DemoClass['perform'] = (random, duration) => {
    const { action, style } = perform(random, duration);
    return { action: (seconds) => action(duration - seconds), style };
  };
  const common = { kind: 'time', styles } as const;
  return [
    { ...common, name: forwards, partner: backwards, perform },
    { ...common, name: backwards, partner: forwards, perform: reversed },
  ];
}

/** Seconds in which nothing changes, at the beginning and at the end of a video. */
const REST = 0.12;

/**
 * When the change happens, from 0 (not begun) to 1 (done). It takes 0.7 to 1.1 seconds in a video of any length and
 * frame rate, begins and ends gently, and lies anywhere in the video with equal probability: so neither its place nor its
 * pace tells forwards from backwards.
 */
function drawProgress(random: RandomStream, duration: number): (seconds: number) => number {
  const length = Math.min(random.uniform(0.7, 1.1), duration - 2 * REST);
  const start = random.uniform(REST, duration - REST - length);
  return (seconds) => {
    const linear = Math.min(1, Math.max(0, (seconds - start) / length));
    return linear * linear * (3 - 2 * linear);
  };
}
