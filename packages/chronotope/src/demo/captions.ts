import { type RandomStream, randomStream } from '../random.js';
import { demoClasses } from './demo-classes.js';
import { type DemoVideoName, drawDemoVideo } from './render.js';
import type { Colour, World } from './world.js';

/**
 * A sentence about one demo video: what its class is, and something of what differs from video to video (colours, size,
 * waves). The words depend on the arguments only; drawing them changes nothing in the video.
 */
export function captionDemoVideo(name: DemoVideoName): string {
  const { world } = drawDemoVideo(name);
  const { seed, part, classIndex, index } = name;
  const random = randomStream(seed, 'demo-caption', part === 'train' ? 0 : 1, classIndex, index);
  const anyOf = (options: readonly string[]): string => options[random.int(options.length)]!;
  const { name: className, kind } = demoClasses[classIndex]!;
  const figure = anyOf(PHRASES[className]!).replace('{looks}', anyOf(looksOf(world)));
  const ending = anyOf(['', ` ${placeOf(world, random)}`, ` ${placeOf(world, random)}`]);
  const sentence = `${anyOf(BEGINNINGS[kind])}${figure}${ending}.`.replaceAll(/\ba (?=[aeiou])/g, 'an ');
  return sentence[0]!.toUpperCase() + sentence.slice(1);
}

/** Figures are named, changes are told. */
const BEGINNINGS = {
  appearance: ['', '', 'a video of ', 'a video that shows ', 'we see '],
  time: ['', '', 'watch how ', 'in this video ', 'we see how '],
} as const;

/** Ways to name what a class shows; `{looks}` stands for what the figure of the video looks like. */
const PHRASES: Readonly<Record<string, readonly string[]>> = {
  ring: [
    'a {looks} ring',
    'a {looks} ring with a hole in its middle',
    'a {looks} hoop, a ring',
    'a swaying {looks} ring',
  ],
  bar: ['a {looks} bar', 'a long {looks} bar', 'a straight {looks} bar that tilts', 'one {looks} bar, a plain beam'],
  wedge: [
    'a {looks} wedge',
    'a {looks} wedge with three corners',
    'a {looks} triangle, a wedge',
    'a pointed {looks} wedge',
  ],
  stripes: [
    '{looks} stripes',
    'a disc of {looks} stripes',
    '{looks} stripes side by side',
    'a round patch of parallel {looks} stripes',
  ],
  crescent: [
    'a {looks} crescent',
    'a {looks} crescent like a young moon',
    'a {looks} sickle, a crescent',
    'a curved {looks} crescent',
  ],
  dots: ['{looks} dots', 'four {looks} dots', '{looks} dots in a square', 'a group of four round {looks} dots'],
  appear: [
    'a {looks} blob starts to appear',
    'out of nothing a {looks} blob begins to appear',
    'a {looks} shape is about to appear and stays',
    'a {looks} blob fades in: watch it appear',
  ],
  vanish: [
    'a {looks} blob starts to vanish',
    'a {looks} blob begins to vanish into nothing',
    'a {looks} shape is about to vanish and is gone',
    'a {looks} blob fades out: watch it vanish',
  ],
  grow: [
    'a {looks} blob starts to grow',
    'a tiny {looks} blob begins to grow',
    'a {looks} shape is about to grow until it is big',
    'a {looks} blob gets larger: watch it grow',
  ],
  shrink: [
    'a {looks} blob starts to shrink',
    'a big {looks} blob begins to shrink',
    'a {looks} shape is about to shrink until it is tiny',
    'a {looks} blob gets smaller: watch it shrink',
  ],
  split: [
    'a {looks} blob starts to split',
    'one {looks} blob begins to split into two',
    'a {looks} shape is about to split in halves',
    'a {looks} blob comes apart: watch it split',
  ],
  merge: [
    'two {looks} blobs start to merge',
    'a pair of {looks} blobs begins to merge into one',
    'two {looks} shapes are about to merge',
    'two {looks} blobs come together: watch them merge',
  ],
};

/** Adjectives that fit a figure: its prevailing colour, its size. */
function looksOf(world: World): string[] {
  const colour = prevailingColour(world.colour);
  const size = averageOf(world.radius) > 0.3 ? 'large' : 'small';
  return [colour, `${size} ${colour}`, size];
}

function placeOf(world: World, random: RandomStream): string {
  const colour = prevailingColour(world.background);
  const shortest = Math.min(...world.waves.map(({ wavelength }) => wavelength));
  const waves = shortest < 0.6 ? 'fine waves' : 'broad waves';
  const places = [
    `on a dark ${colour} background`,
    `in front of dark ${colour} ${waves}`,
    `over a ${colour} background of ${waves}`,
  ];
  return places[random.int(places.length)]!;
}

const MOMENTS = Array.from({ length: 16 }, (_, k) => (k + 0.5) / 16);

function averageOf(curve: (time: number) => number): number {
  return MOMENTS.reduce((sum, time) => sum + curve(time), 0) / MOMENTS.length;
}

/** Names of hues, each reaching up to a share of the colour circle, from red on. */
const HUES: readonly (readonly [limit: number, name: string])[] = [
  [1 / 24, 'red'],
  [3 / 24, 'orange'],
  [5 / 24, 'yellow'],
  [10 / 24, 'green'],
  [13 / 24, 'turquoise'],
  [17 / 24, 'blue'],
  [20 / 24, 'purple'],
  [23 / 24, 'pink'],
  [1, 'red'],
];

/** The colour that a changing one has on average: the direction of the mean of its hues on the colour circle. */
function prevailingColour(colourAt: (time: number) => Colour): string {
  const angles = MOMENTS.map((time) => 2 * Math.PI * hueOf(colourAt(time)));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const turn = Math.atan2(sum(angles.map(Math.sin)), sum(angles.map(Math.cos))) / (2 * Math.PI);
  const hue = turn < 0 ? turn + 1 : turn;
  return HUES.find(([limit]) => hue <= limit)![1];
}

/** Place on the colour circle, from 0 (red) up to 1. */
function hueOf([red, green, blue]: Colour): number {
  const angle = Math.atan2(Math.sqrt(3) * (green - blue), 2 * red - green - blue) / (2 * Math.PI);
  return angle < 0 ? angle + 1 : angle;
}
