import type { RandomStream } from '../random.js';
import { bar, blob, crescent, dots, ring, type Shape, stripes, union, wedge } from './shapes.js';

export interface Figure {
  shape: Shape;
  opacity: number;
  scale: number;
  dx?: number;
  dy?: number;
}
export type Scene = (time: number) => Figure;
export interface DemoClass {
  name: string;
  kind: 'appearance' | 'time';
  scene: (random: RandomStream) => Scene;
}

function still(shape: Shape): (random: RandomStream) => Scene {
  return () => () => ({ shape, opacity: 1, scale: 1 });
}
interface Lobe {
  amplitude: number;
  phase: number;
}
function course(
  scene: (p: number, lobes: Lobe[], low: number) => Figure,
  reversed: boolean,
): (random: RandomStream) => Scene {
  return (random) => {
    const duration = random.uniform(0.35, 0.6);
    const start = random.uniform(0.1, 0.9 - duration);
    const L = Number(process.env.LOBE ?? 0.2);
    const lobes = [0, 1, 2].map(() => ({ amplitude: random.uniform(-L, L), phase: random.uniform(0, 2 * Math.PI) }));
    const low = random.uniform(Number(process.env.LOW0 ?? 0), Number(process.env.LOW ?? 0));
    return (time) => {
      const x = Math.min(1, Math.max(0, (time - start) / duration));
      const p = x * x * (3 - 2 * x);
      return scene(reversed ? 1 - p : p, lobes, low);
    };
  };
}
const fade = (p: number, l: Lobe[], low: number): Figure => ({
  shape: blob(1, l),
  opacity: low * 0.6 + (1 - low * 0.6) * p,
  scale: 1,
});
const swell = (p: number, l: Lobe[], low: number): Figure => ({
  shape: blob(1, l),
  opacity: 1,
  scale: 0.3 + low * 0.3 + (0.8 - low * 0.3) * p,
});
const divide = (p: number, l: Lobe[]): Figure => ({
  shape: union(blob(0.9 - 0.35 * p, l, 0.75 * p, 0), blob(0.9 - 0.35 * p, l, -0.75 * p, 0)),
  opacity: 1,
  scale: 1,
});

export const demoClasses: readonly DemoClass[] = [
  { name: 'ring', kind: 'appearance', scene: still(ring) },
  { name: 'bar', kind: 'appearance', scene: still(bar) },
  { name: 'wedge', kind: 'appearance', scene: still(wedge) },
  { name: 'stripes', kind: 'appearance', scene: still(stripes) },
  { name: 'crescent', kind: 'appearance', scene: still(crescent) },
  { name: 'dots', kind: 'appearance', scene: still(dots) },
  { name: 'appear', kind: 'time', scene: course(fade, false) },
  { name: 'vanish', kind: 'time', scene: course(fade, true) },
  { name: 'grow', kind: 'time', scene: course(swell, false) },
  { name: 'shrink', kind: 'time', scene: course(swell, true) },
  { name: 'split', kind: 'time', scene: course(divide, false) },
  { name: 'merge', kind: 'time', scene: course(divide, true) },
];
