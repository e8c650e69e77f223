import type { RandomStream } from '../random.js';
import { bar, blob, crescent, dots, type Lobe, ring, type Shape, stripes, union, wedge } from './figures.js';

/** What one frame shows: a shape, how opaque it is (0..1) and its size relative to the usual one. */
export interface Figure {
  shape: Shape;
  opacity: number;
  scale: number;
}

/** The figure at a time in 0..1, from the first frame to the last. */
export type Scene = (time: number) => Figure;

/** One class of the demo videos. */
export interface DemoClass {
  name: string;
  /** `appearance`: any single frame tells the class. `time`: only the order of the frames does. */
  kind: 'appearance' | 'time';
  /** Draws the scene of one video. */
  scene: (random: RandomStream) => Scene;
}

/**
 * The classes of the demo. Six are told apart by the shape of a figure that does not change. The other six are three
 * pairs of one change and the same change backwards: the frames of a pair are the same, only their order differs.
 */
export const demoClasses: readonly DemoClass[] = [
  { name: 'ring', kind: 'appearance', scene: unchanging(ring) },
  { name: 'bar', kind: 'appearance', scene: unchanging(bar) },
  { name: 'wedge', kind: 'appearance', scene: unchanging(wedge) },
  { name: 'stripes', kind: 'appearance', scene: unchanging(stripes) },
  { name: 'crescent', kind: 'appearance', scene: unchanging(crescent) },
  { name: 'dots', kind: 'appearance', scene: unchanging(dots) },
  { name: 'appear', kind: 'time', scene: forwards(appearing) },
  { name: 'vanish', kind: 'time', scene: backwards(appearing) },
  { name: 'grow', kind: 'time', scene: forwards(growing) },
  { name: 'shrink', kind: 'time', scene: backwards(growing) },
  { name: 'split', kind: 'time', scene: forwards(splitting) },
  { name: 'merge', kind: 'time', scene: backwards(splitting) },
];

function unchanging(shape: Shape): DemoClass['scene'] {
  return () => () => ({ shape, opacity: 1, scale: 1 });
}

/** A change of a blob with the given outline, by its progress in 0..1. */
type Change = (progress: number, lobes: readonly Lobe[]) => Figure;

function appearing(progress: number, lobes: readonly Lobe[]): Figure {
  return { shape: blob(1, lobes), opacity: progress, scale: 1 };
}

function growing(progress: number, lobes: readonly Lobe[]): Figure {
  return { shape: blob(1, lobes), opacity: 1, scale: 0.3 + 0.8 * progress };
}

function splitting(progress: number, lobes: readonly Lobe[]): Figure {
  const radius = 0.9 - 0.35 * progress;
  const distance = 0.75 * progress;
  return { shape: union(blob(radius, lobes, distance), blob(radius, lobes, -distance)), opacity: 1, scale: 1 };
}

function forwards(change: Change): DemoClass['scene'] {
  return (random) => {
    const { progress, lobes } = drawCourse(random);
    return (time) => change(progress(time), lobes);
  };
}

function backwards(change: Change): DemoClass['scene'] {
  return (random) => {
    const { progress, lobes } = drawCourse(random);
    return (time) => change(1 - progress(time), lobes);
  };
}

/** When the change happens (a third to over half of the video, starting and ending gently), and the blob's outline. */
function drawCourse(random: RandomStream): { progress: (time: number) => number; lobes: Lobe[] } {
  const duration = random.uniform(0.35, 0.6);
  const start = random.uniform(0.1, 0.9 - duration);
  const lobes = Array.from({ length: 3 }, () => ({
    amplitude: random.uniform(-0.2, 0.2),
    phase: random.uniform(0, 2 * Math.PI),
  }));
  const progress = (time: number): number => {
    const linear = Math.min(1, Math.max(0, (time - start) / duration));
    return linear * linear * (3 - 2 * linear);
  };
  return { progress, lobes };
}
