import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { randomStream } from '../random.js';
import { type DemoClass, demoClasses } from './demo-classes.js';
import { type DemoVideoPlan, demoSize, planDemoVideo, renderDemoVideo } from './render.js';

const frameBytes = demoSize * demoSize * 3;
const pairs = demoClasses
  .filter(({ partner }) => partner !== null)
  .map((demoClass) => [demoClass, demoClasses.find(({ name }) => name === demoClass.partner)!] as const);

test('at least ten classes with names of their own, half of each kind; those of time come in pairs', () => {
  const appearance = demoClasses.filter(({ kind }) => kind === 'appearance');
  assert.ok(demoClasses.length >= 10);
  assert.equal(appearance.length * 2, demoClasses.length);
  assert.equal(new Set(demoClasses.map(({ name }) => name)).size, demoClasses.length);
  assert.deepEqual(
    pairs.map(([one, other]) => [one.kind, other.partner, other.styles]),
    pairs.map(([one]) => ['time', one.name, one.styles]),
  );
  assert.equal(pairs.length, demoClasses.length / 2);
});

test('every class is drawn or performed in at least three ways, all of which occur', () => {
  for (const { name, styles, perform } of demoClasses) {
    const drawn = Array.from({ length: 60 }, (_, k) => perform(randomStream(k, 'test'), 2).style);
    assert.ok(styles.length >= 3, name);
    assert.deepEqual([...new Set(drawn)].sort(), [...styles].sort(), name);
  }
});

test('a class of appearance shows the same at any moment', () => {
  for (const { perform } of demoClasses.filter(({ kind }) => kind === 'appearance')) {
    const { action } = perform(randomStream(1, 'test'), 2);
    assert.deepEqual(action(0), action(1.3));
  }
});

test('a class of time played backwards shows exactly what its partner shows, however it is performed', () => {
  const GRID = [-1, -0.6, -0.2, 0.1, 0.5, 0.9];
  const poseValues = (
    { perform }: DemoClass,
    { seed, duration, time }: Record<'seed' | 'duration' | 'time', number>,
  ) => {
    const { shape, scale, x, y, turn } = perform(randomStream(seed, 'test'), duration).action(time);
    return [scale, x, y, turn, ...GRID.flatMap((row) => GRID.map((column) => shape(column, row)))];
  };
  fc.assert(
    fc.property(
      fc.constantFrom(...pairs),
      fc.nat(10_000),
      fc.double({ min: 1.5, max: 2.5, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      ([one, other], seed, duration, share) => {
        const time = share * duration;
        const forwards = poseValues(one, { seed, duration, time });
        const backwards = poseValues(other, { seed, duration, time: duration - time });
        assert.ok(
          forwards.every((value, i) => Math.abs(value - backwards[i]!) < 1e-6),
          `${one.name} at ${time}`,
        );
      },
    ),
  );
});

test('a class of time rests at the beginning and at the end, and shows something else there', () => {
  const GRID = [-1.1, -0.8, -0.5, -0.25, 0, 0.25, 0.5, 0.8, 1.1];
  for (const { name, perform } of pairs.map(([one]) => one)) {
    for (let seed = 0; seed < 20; seed++) {
      const { action, style } = perform(randomStream(seed, 'test'), 1.6);
      const shown = (time: number): number[] => {
        const { shape, scale, x, y, turn } = action(time);
        const turned = [scale * Math.cos(turn), scale * Math.sin(turn)];
        return [...turned, 4 * x, 4 * y, ...GRID.flatMap((row) => GRID.map((column) => shape(column, row)))];
      };
      assert.deepEqual(shown(0), shown(0.1), name);
      assert.deepEqual(shown(1.5), shown(1.6), name);
      const last = shown(1.6);
      const change = shown(0).reduce((most, value, i) => Math.max(most, Math.abs(value - last[i]!)), 0);
      assert.ok(change > 0.3, `${name}, ${style}: ${change}`);
    }
  }
});

/** The video without anything that differs from video to video but the performance. */
function withoutNuisance(plan: DemoVideoPlan): DemoVideoPlan {
  const steady = (value: number) => () => value;
  const nuisance: DemoVideoPlan['nuisance'] = {
    ...{ x: steady(0.5), y: steady(0.5), angle: steady(0), radius: steady(0.3), stretch: steady(1), stretchAngle: 0 },
    ...{ surface: 'plain', colours: [() => [1, 1, 1], () => [1, 1, 1]], distractors: [], light: steady(1) },
    camera: { x: steady(0), y: steady(0), zoom: steady(1) },
  };
  const scene = { background: () => [0, 0, 0] as const, waves: [], light: { slope: 0, angle: 0 } };
  return { ...plan, nuisance, scene };
}

test('without nuisance the pixels of a video are those of its partner in the opposite order', () => {
  for (const [one, other] of pairs) {
    const plan = withoutNuisance(planDemoVideo({ seed: 3, part: 'train', classIndex: 0, index: 0 }));
    const duration = (plan.frames - 1) / plan.frameRate;
    const [forwards, backwards] = [one, other].map(({ perform }) =>
      renderDemoVideo({ ...plan, performance: perform(randomStream(5, 'test'), duration) }),
    );
    for (let k = 0; k < plan.frames; k++) {
      const frame = forwards!.subarray(k * frameBytes, (k + 1) * frameBytes);
      const mirrored = backwards!.subarray((plan.frames - 1 - k) * frameBytes, (plan.frames - k) * frameBytes);
      // Times are rounded, and then pixels on an outline.
      const farthest = frame.reduce((far, value, i) => Math.max(far, Math.abs(value - mirrored[i]!)), 0);
      assert.ok(farthest <= 1, `${one.name}, frame ${k}: ${farthest}`);
    }
  }
});

test('statistics of single frames do not tell a class of time from its partner', () => {
  const VIDEOS = 40;
  /** Mean and standard deviation of the pixels, averaged over frames from all of each video, for each video. */
  const statisticsOf = (classIndex: number): [mean: number, deviation: number][] =>
    Array.from({ length: VIDEOS }, (_, index) => {
      const plan = planDemoVideo({ seed: 2, part: 'train', classIndex, index });
      // Six moments that are evenly spread, the first and the last frame among them.
      const pixels = renderDemoVideo({ ...plan, frames: 6, frameRate: (5 * plan.frameRate) / (plan.frames - 1) });
      const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
      const square = pixels.reduce((sum, value) => sum + (value - mean) ** 2, 0) / pixels.length;
      return [mean, Math.sqrt(square)];
    });
  for (const [one, other] of pairs.filter((_, i) => i % 2 === 0)) {
    const samples = [one, other].map((demoClass) => statisticsOf(demoClasses.indexOf(demoClass)));
    for (const statistic of [0, 1] as const) {
      // The videos of a pair share their scenes, so they are compared one by one.
      const differences = samples[0]!.map((values, i) => values[statistic] - samples[1]![i]![statistic]);
      const mean = differences.reduce((sum, value) => sum + value, 0) / VIDEOS;
      const deviation = Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (VIDEOS - 1));
      const standardErrors = Math.abs(mean) / (deviation / Math.sqrt(VIDEOS));
      assert.ok(standardErrors < 3, `${one.name} and ${other.name}: ${standardErrors} standard errors`);
    }
  }
});
