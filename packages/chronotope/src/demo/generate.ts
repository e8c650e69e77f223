import { type RandomStream, randomStream } from '../random.js';
import { demoClasses, type Scene } from './classes.js';

export const demoFrames = 40;
export const demoSize = 64;

export function generateDemoVideo(options: {
  seed: number;
  part: number;
  classIndex: number;
  index: number;
  nuisance?: number;
}): Uint8Array {
  const { seed, part, classIndex, index } = options;
  const random = randomStream(seed, 'demo-video', part, classIndex, index);
  const N = options.nuisance ?? 1;
  const scene = demoClasses[classIndex]!.scene(random);
  const frames = new Uint8Array(demoFrames * demoSize * demoSize * 3);
  const world = drawWorld(random, N);
  for (let t = 0; t < demoFrames; t++) renderFrame(frames, t, world, scene);
  return frames;
}

type Curve = (time: number) => number;

/** A smooth random curve in [-1, 1] */
function wander(random: RandomStream, cycles: number): Curve {
  const f1 = cycles;
  const f2 = 2 * cycles;
  const p1 = random.uniform(0, 2 * Math.PI);
  const p2 = random.uniform(0, 2 * Math.PI);
  return (t) => (Math.sin(2 * Math.PI * f1 * t + p1) + 0.5 * Math.sin(2 * Math.PI * f2 * t + p2)) / 1.5;
}

interface Wave {
  amplitude: number;
  direction: Curve;
  wavelength: number;
  phase: Curve;
  channel: [number, number, number];
}
interface World {
  x: Curve;
  y: Curve;
  angle: Curve;
  radius: Curve;
  stretch: Curve;
  stretchAngle: Curve;
  hue: Curve;
  saturation: Curve;
  value: Curve;
  bgHue: Curve;
  bgValue: Curve;
  waves: Wave[];
  clutter: { x: Curve; y: Curve; hue: Curve; r: number; v: number }[];
  tex: { amplitude: Curve; k: number; a: Curve; p: Curve };
}

function ramp(random: RandomStream, drift: number): Curve {
  const start = random.uniform();
  const rate = random.uniform(-drift, drift);
  return (t) => start + rate * t;
}

function drawWorld(random: RandomStream, n: number): World {
  const env = (name: string, d: number) => Number(process.env[name] ?? d);
  const CY = demoFrames / random.uniform(env('P0', 6), env('P1', 9));
  const w = () => wander(random, CY);
  const x = w(),
    y = w();
  const wr = w(),
    ws = w(),
    wv = w(),
    wb = w(),
    wa = w(),
    wh = w(),
    wbh = w(),
    wbv = w(),
    wst = w();
  const size = random.uniform(-1, 1);
  const hue0 = random.uniform(),
    bh0 = random.uniform(),
    a0 = random.uniform(),
    sa0 = random.uniform();
  const DR = env('DRIFT', 0.1),
    HO = env('HOSC', 0.2);
  const hd = random.uniform(-DR, DR),
    bd = random.uniform(-DR, DR),
    ad = random.uniform(-env('ROT', 0.05), env('ROT', 0.05));
  const AO = env('AOSC', 0.12);
  const waves: Wave[] = [0, 1, 2].map(() => ({
    amplitude: env('BG', 0.1) * n * random.uniform(0.5, 1),
    direction: (
      (r, d0) => (t: number) =>
        2 * Math.PI * (d0 + 0.08 * r(t))
    )(w(), random.uniform()),
    wavelength: random.uniform(0.35, 1),
    phase: (
      (p0, sign) => (t: number) =>
        2 * Math.PI * (p0 + sign * CY * t)
    )(random.uniform(), random.chance(0.5) ? 1 : -1),
    channel: [random.uniform(-1, 1), random.uniform(-1, 1), random.uniform(-1, 1)],
  }));
  const dark = random.uniform() < env('DARK', 0);
  const flips = random.uniform() < env('FLIP', 0),
    fp = random.uniform(0, 2 * Math.PI);
  const lightness = (t: number) => {
    const m = flips ? 0.5 + 0.5 * Math.tanh(2.5 * Math.sin(2 * Math.PI * CY * t + fp)) : dark ? 1 : 0;
    return { bg: 0.22 + 0.58 * m, obj: 0.85 - 0.65 * m };
  };
  const clutter = Array.from({ length: env('CLUT', 0) }, () => {
    const cx = random.uniform(),
      cy = random.uniform(),
      fx = w(),
      fy = w(),
      h0 = random.uniform(),
      r = random.uniform(0.04, 0.09),
      fh = w();
    return {
      x: (t: number) => cx + env('CAMP', 0.3) * fx(t),
      y: (t: number) => cy + env('CAMP', 0.3) * fy(t),
      hue: (t: number) => h0 + HO * fh(t),
      r,
      v: dark ? 0.25 : 0.8,
    };
  });
  const texW = w(),
    texA = w(),
    a00 = random.uniform(0, 6.28);
  const tex = {
    amplitude: (t: number) => env('TEX', 0) * (0.5 + 0.5 * texW(t)),
    k: random.uniform(4, 10),
    a: (t: number) => a00 + texA(t),
    p: w(),
  };
  return {
    clutter,
    tex,
    x: (t) => 0.5 + 0.12 * n * x(t),
    y: (t) => 0.5 + 0.12 * n * y(t),
    angle: (t) => 2 * Math.PI * (a0 + ad * t + AO * wa(t)),
    radius: (t) => env('RAD', 0.3) * (1 + env('SIZE', 0.15) * n * size + 0.1 * n * wr(t)),
    stretch: (t) => 1 + env('STR', 0.25) * n * ws(t),
    stretchAngle: (t) => Math.PI * (sa0 + 0.2 * wst(t)),
    hue: (t) => hue0 + hd * t + HO * wh(t),
    saturation: (t) => 0.65 + 0.3 * wv(t),
    value: (t) => lightness(t).obj + 0.15 * n * wb(t),
    bgHue: (t) => bh0 + bd * t + HO * wbh(t),
    bgValue: (t) => lightness(t).bg + 0.1 * n * wbv(t),
    waves,
  };
}

function hsv(h: number, s: number, v: number): [number, number, number] {
  const channel = (offset: number) => {
    const k = (((offset + h * 6) % 6) + 6) % 6;
    return v - v * s * Math.max(0, Math.min(k, 4 - k, 1));
  };
  return [channel(5), channel(3), channel(1)];
}

function renderFrame(frames: Uint8Array, t: number, w: World, scene: Scene): void {
  const S = demoSize,
    time = t / (demoFrames - 1);
  const base = hsv(w.bgHue(time), 0.5, w.bgValue(time));
  const colour = hsv(w.hue(time), w.saturation(time), w.value(time));
  const { shape, opacity, scale, dx = 0, dy = 0 } = scene(time);
  const radius = w.radius(time) * scale;
  const cx = w.x(time) + dx,
    cy = w.y(time) + dy,
    a = w.angle(time);
  const cos = Math.cos(a),
    sin = Math.sin(a);
  const st = Math.sqrt(w.stretch(time)),
    sa = w.stretchAngle(time),
    sc = Math.cos(sa),
    ss = Math.sin(sa);
  const edge = 1.5 / S / radius;
  const waves = w.waves.map((wave) => {
    const k = (2 * Math.PI) / wave.wavelength,
      d = wave.direction(time),
      p = wave.phase(time);
    return {
      kx: k * Math.cos(d),
      ky: k * Math.sin(d),
      p,
      r: wave.amplitude * wave.channel[0],
      g: wave.amplitude * wave.channel[1],
      b: wave.amplitude * wave.channel[2],
    };
  });
  const blobs = w.clutter.map((c) => ({ x: c.x(time), y: c.y(time), r: c.r, c: hsv(c.hue(time), 0.6, c.v) }));
  const tx = w.tex.k * Math.cos(w.tex.a(time)),
    ty = w.tex.k * Math.sin(w.tex.a(time)),
    tp = 3 * w.tex.p(time);
  const ta = w.tex.amplitude(time);
  let o = t * S * S * 3;
  for (let row = 0; row < S; row++) {
    const py = (row + 0.5) / S;
    for (let col = 0; col < S; col++) {
      const px = (col + 0.5) / S;
      let r = base[0],
        g = base[1],
        b = base[2];
      for (const v of waves) {
        const q = Math.sin(v.kx * px + v.ky * py + v.p);
        r += v.r * q;
        g += v.g * q;
        b += v.b * q;
      }
      for (const c of blobs) {
        const al = Math.min(1, Math.max(0, 0.5 - ((Math.hypot(px - c.x, py - c.y) - c.r) * S) / 1.5));
        r += al * (c.c[0] - r);
        g += al * (c.c[1] - g);
        b += al * (c.c[2] - b);
      }
      const x0 = (px - cx) / radius,
        y0 = (py - cy) / radius;
      const e = (x0 * sc + y0 * ss) * st,
        f = (-x0 * ss + y0 * sc) / st;
      const x1 = e * sc - f * ss,
        y1 = e * ss + f * sc;
      const dist = shape(x1 * cos + y1 * sin, -x1 * sin + y1 * cos);
      const shade = 1 - ta * (0.5 + 0.5 * Math.sin(tx * x0 + ty * y0 + tp));
      const alpha = opacity * Math.min(1, Math.max(0, 0.5 - dist / edge));
      frames[o++] = 255 * Math.min(1, Math.max(0, r + alpha * (colour[0] * shade - r)));
      frames[o++] = 255 * Math.min(1, Math.max(0, g + alpha * (colour[1] * shade - g)));
      frames[o++] = 255 * Math.min(1, Math.max(0, b + alpha * (colour[2] * shade - b)));
    }
  }
}
