import { type RandomStream, randomStream } from '../random.js';
import { type Colour, hueOf } from './colours.js';
import { demoClasses } from './demo-classes.js';
import type { Distractor } from './nuisance.js';
import { type DemoVideoName, type DemoVideoPlan, planDemoVideo } from './render.js';
import type { Curve } from './sway.js';

/**
 * A sentence about one demo video: what its class is, and something of what differs from video to video (the way in which
 * it is drawn or performed, colours, size, the background, other things beside it). All that it says is true of the
 * video. Drawing the words changes nothing in the video.
 */
export function captionDemoVideo(name: DemoVideoName): string {
  const plan = planDemoVideo(name);
  const { seed, part, classIndex, index } = name;
  const random = randomStream(seed, 'demo-caption', part === 'train' ? 0 : 1, classIndex, index);
  const anyOf = (options: readonly string[]): string => options[random.int(options.length)]!;
  const { name: className, kind } = demoClasses[classIndex]!;
  const ways = PHRASES[className]!;
  const figure = anyOf([...ways.any, ...(ways.styles[plan.performance.style] ?? [])]);
  const ending = anyOf(['', ...endingsOf(plan, random)]);
  const sentence = `${anyOf(BEGINNINGS[kind])}${figure.replace('{looks}', anyOf(looksOf(plan)))}${ending}.`;
  const spoken = sentence.replaceAll(/\ba (?=[aeiou])/g, 'an ');
  return spoken[0]!.toUpperCase() + spoken.slice(1);
}

/** Figures are named, changes are told. */
const BEGINNINGS = {
  appearance: ['', '', 'a video of ', 'a video that shows ', 'we see '],
  time: ['', '', 'watch how ', 'in this video ', 'we see how '],
} as const;

/** Ways to name what a class shows; `{looks}` stands for what the figure of the video looks like. */
interface Phrases {
  /** True of all videos of the class. */
  any: readonly string[];
  /** True of those drawn or performed in a certain way. */
  styles: Readonly<Record<string, readonly string[]>>;
}

const PHRASES: Readonly<Record<string, Phrases>> = {
  ring: {
    any: [
      'a {looks} ring',
      'a {looks} ring with a hole in its middle',
      'a {looks} hoop, a ring',
      'a swaying {looks} ring',
    ],
    styles: {
      round: ['a round {looks} ring'],
      oval: ['an oval {looks} ring'],
      angular: ['a {looks} ring with corners'],
    },
  },
  bar: {
    any: ['a {looks} bar', 'a long {looks} bar', 'a straight {looks} bar that tilts', 'one {looks} bar, a beam'],
    styles: {
      hollow: ['a hollow {looks} bar'],
      rounded: ['a {looks} bar with round ends'],
    },
  },
  wedge: {
    any: [
      'a {looks} wedge',
      'a {looks} wedge with three corners',
      'a {looks} triangle, a wedge',
      'a pointed {looks} wedge',
    ],
    styles: {
      hollow: ['a hollow {looks} wedge'],
      slender: ['a slender {looks} wedge'],
    },
  },
  stripes: {
    any: ['{looks} stripes', 'parallel {looks} stripes', '{looks} stripes side by side', 'a patch of {looks} stripes'],
    styles: {
      disc: ['a disc of {looks} stripes'],
      square: ['a square of {looks} stripes'],
      lens: ['an oval of {looks} stripes'],
      diamond: ['a square of {looks} stripes'],
    },
  },
  crescent: {
    any: [
      'a {looks} crescent',
      'a {looks} crescent with two tips',
      'a {looks} sickle, a crescent',
      'a curved {looks} crescent',
    ],
    styles: { moon: ['a {looks} crescent like a young moon'] },
  },
  dots: {
    any: [
      '{looks} dots',
      'several {looks} dots',
      '{looks} dots with gaps between them',
      'a group of round {looks} dots',
    ],
    styles: {
      square: ['four {looks} dots'],
      circle: ['a circle of {looks} dots'],
      scattered: ['five scattered {looks} dots'],
    },
  },
  cross: {
    any: [
      'a {looks} cross',
      'a {looks} cross with four arms',
      'two {looks} beams that meet, a cross',
      'a swaying {looks} cross',
    ],
    styles: { hollow: ['a hollow {looks} cross'] },
  },
  zigzag: {
    any: [
      'a {looks} zigzag',
      'a {looks} zigzag line',
      'a {looks} line that turns to and fro, a zigzag',
      'a bent {looks} zigzag',
    ],
    styles: { three: ['a short {looks} zigzag'] },
  },
  grow: {
    any: [
      'a {looks} blob starts to grow',
      'something {looks} begins to grow',
      'a {looks} shape is about to grow until it is big',
      'a {looks} blob gets larger: watch it grow',
    ],
    styles: {
      crowding: ['three {looks} blobs grow together'],
      stretching: ['a {looks} blob grows, lengthwise first: it will grow'],
    },
  },
  shrink: {
    any: [
      'a {looks} blob starts to shrink',
      'something {looks} begins to shrink',
      'a {looks} shape is about to shrink until it is tiny',
      'a {looks} blob gets smaller: watch it shrink',
    ],
    styles: {
      crowding: ['three {looks} blobs shrink together'],
      stretching: ['a {looks} blob narrows while it starts to shrink'],
    },
  },
  open: {
    any: [
      'a {looks} shape starts to open',
      'something {looks} begins to open',
      'a {looks} body is about to open',
      'a {looks} shape that was whole: watch it open',
    ],
    styles: {
      mouth: ['a {looks} mouth begins to open'],
      gate: ['two {looks} halves part: they open'],
      petals: ['three {looks} petals open'],
    },
  },
  close: {
    any: [
      'a {looks} shape starts to close',
      'something {looks} begins to close',
      'a {looks} body is about to close',
      'a {looks} shape that becomes whole: watch it close',
    ],
    styles: {
      mouth: ['a {looks} mouth begins to close'],
      gate: ['two {looks} halves meet: they close'],
      petals: ['three {looks} petals close'],
    },
  },
  right: {
    any: [
      'something {looks} moves to the right',
      'a {looks} body goes to the right',
      'a {looks} thing sets off for the right',
    ],
    styles: {
      sliding: ['a {looks} blob slides to the right'],
      leaping: ['a {looks} blob goes on an arch to the right'],
      following: ['two {looks} blobs follow each other to the right'],
    },
  },
  left: {
    any: [
      'something {looks} moves to the left',
      'a {looks} body goes to the left',
      'a {looks} thing sets off for the left',
    ],
    styles: {
      sliding: ['a {looks} blob slides to the left'],
      leaping: ['a {looks} blob goes on an arch to the left'],
      following: ['two {looks} blobs follow each other to the left'],
    },
  },
  clockwise: {
    any: [
      'a {looks} blob turns clockwise',
      'something {looks} starts to turn clockwise',
      'a {looks} shape goes round clockwise',
    ],
    styles: {
      spinning: ['a {looks} blob with a handle spins clockwise'],
      circling: ['a {looks} blob circles clockwise'],
      rolling: ['a {looks} blob with a notch rolls clockwise'],
    },
  },
  anticlockwise: {
    any: [
      'a {looks} blob turns anticlockwise',
      'something {looks} starts to turn anticlockwise',
      'a {looks} shape goes round anticlockwise',
    ],
    styles: {
      spinning: ['a {looks} blob with a handle spins anticlockwise'],
      circling: ['a {looks} blob circles anticlockwise'],
      rolling: ['a {looks} blob with a notch rolls anticlockwise'],
    },
  },
};

/** Adjectives that fit a figure: its prevailing colour, its size for its class, its surface. */
function looksOf({ nuisance }: DemoVideoPlan): string[] {
  const colour = prevailingColour(nuisance.colours[0]);
  const size = averageOf(nuisance.radius) > 0.35 ? 'large' : 'small';
  const looks = [colour, `${size} ${colour}`, `bright ${colour}`, size];
  return nuisance.surface === 'plain' ? looks : [...looks, `${nuisance.surface} ${colour}`];
}

function endingsOf({ scene, nuisance }: DemoVideoPlan, random: RandomStream): string[] {
  const colour = prevailingColour(scene.background);
  const shortest = Math.min(...scene.waves.map(({ wavelength }) => wavelength));
  const waves = shortest < 0.4 ? 'fine waves' : 'broad waves';
  const places = [
    ` on a dark ${colour} background`,
    ` in front of dark ${colour} ${waves}`,
    ` over a ${colour} background of ${waves}`,
  ];
  return [places[random.int(places.length)]!, ` with ${companyOf(nuisance.distractors)}`];
}

function companyOf(distractors: readonly Distractor[]): string {
  if (distractors.length === 0) return 'nothing else nearby';
  const what = distractors.length === 1 ? 'something small' : 'small things';
  if (distractors.every(({ moves }) => moves)) return `${what} moving about nearby`;
  return distractors.some(({ moves }) => moves) ? `${what} nearby` : `${what} at rest nearby`;
}

const MOMENTS = Array.from({ length: 16 }, (_, k) => (k + 0.5) / 8);

function averageOf(curve: Curve): number {
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
