import type { Picture } from './content.js';
import type { CategoryScore } from './cross-video.js';
import { percent } from './format.js';
import { html, Markup } from './html.js';
import { image } from './pictures.js';
import { STYLE } from './style.js';
import { table } from './table.js';

/** A frame on the page. */
export interface ShownFrame {
  picture: Picture;
  id: string;
  /** Name of its class. */
  label: string;
}

/** What the page about an image encoder shows. */
export interface CrossVideoContent {
  run: string;
  startedAt: string;
  videos: number;
  framesPerVideo: number;
  frames: ReadonlyMap<number, ShownFrame>;
  /** The run's own features first, then those of other runs, and colours alone. */
  representations: { title: string; score: CategoryScore; examples: { frame: number; neighbours: number[] }[] }[];
  /** Linear probes on the features of each encoder, and of a random one; none where the training videos have no labels. */
  probes: {
    title: string;
    /** Share of the frames whose class the probe says. */
    top1: number;
    /** `picture` shows where the probe sees the class of the frame. */
    examples: { frame: number; predicted: string; picture: Picture }[];
  }[];
  /** Null for a run that learnt no cycles. */
  cycles: {
    start: number;
    neighbours: { frame: number; weight: number }[];
    effectiveNeighbours: number;
    target: number;
    reached: number;
    rank: number;
  }[];
}

/** The page: scores, neighbours of several representations side by side, and cycles. */
export function renderCrossVideo(content: CrossVideoContent): string {
  const { run, startedAt, videos, framesPerVideo } = content;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>Report: ${run}</title><style>${new Markup(STYLE)}
.frames { display: flex; flex-wrap: wrap; gap: 8px; align-items: flex-end; margin: 12px 0; }
.frames figure { margin: 0; max-width: 120px; }
.maps { align-items: flex-start; }</style></head>
<body><header><h1>${run}</h1><p class="soft">An image encoder of CCL, started on ${startedAt.slice(0, 10)}</p></header><main>
<section id="score"><h2>Does a neighbour in another video show the same category?</h2>
<p>${framesPerVideo} frames of each of ${videos} test videos. For each frame, the most similar frames of <em>other</em> videos by
the cosine of the features; the share of them with the frame's class. A frame of another video may look alike, or only be alike:
“looks different” are the frames whose nearest neighbour has colours further off (a grid of 4 × 4) than half of all pairs.</p>
${scores(content)}</section>
<section id="neighbours"><h2>Neighbours across videos</h2>${neighbours(content)}</section>
${content.probes.length === 0 ? null : html`<section id="probes"><h2>Where a linear probe looks</h2>${probes(content)}</section>`}
${content.cycles.length === 0 ? null : html`<section id="cycles"><h2>Cycles</h2>${cycles(content)}</section>`}
</main><footer>Written by <code>chronotope report</code>.</footer></body></html>
`.text;
}

function scores({ representations }: CrossVideoContent): Markup {
  const ks = representations[0]!.score.purity.map(({ k }) => k);
  return table({
    columns: [
      { title: 'features of' },
      ...ks.map((k) => ({ title: `nearest ${k}`, kind: 'number' as const })),
      { title: 'looks different', kind: 'number' },
      { title: 'of these, same class', kind: 'number' },
      { title: 'chance', kind: 'number' },
    ],
    rows: representations.map(({ title, score }) => [
      title,
      ...score.purity.map(({ share }) => percent(share)),
      percent(score.unlike.frames),
      percent(score.unlike.sameClass),
      percent(score.chance),
    ]),
  });
}

function neighbours({ representations, frames }: CrossVideoContent): Markup {
  const examples = representations[0]!.examples.map(({ frame }) => frame);
  return html`${examples.map((start, row) => {
    const label = frames.get(start)!.label;
    return html`<h3>${label}</h3>${representations.map(
      ({ title, examples }) => html`<p class="soft">${title}</p><div class="frames">${shown(frames, start, 'query')}
${examples[row]!.neighbours.map((frame) => shown(frames, frame, verdict(frames, frame, label)))}</div>`,
    )}`;
  })}`;
}

function probes({ probes, frames }: CrossVideoContent): Markup {
  const [own] = probes;
  return html`<p>A linear classifier on each encoder's frozen features, fitted to the labelled training videos, says the class
of single frames; shares of all frames of the test videos. The pictures are class activation maps: <span style="color:#d9650a">orange</span>
where the features speak for the true class, <span style="color:#1a6bd9">blue</span> where they speak against it. Small pictures are moved
by parts of the network's stride to get a map that is fine enough to look at.</p>
${table({
  columns: [{ title: 'features of' }, { title: 'frames recognised', kind: 'number' }],
  rows: probes.map(({ title, top1 }) => [title, percent(top1)]),
})}
${own!.examples.map(({ frame }, row) => {
  const { label } = frames.get(frame)!;
  return html`<h3>${label}</h3><div class="frames maps">${shown(frames, frame, 'frame')}
${probes.map(({ title, examples }) => {
  const { picture, predicted } = examples[row]!;
  const note = `${title}: ${predicted === label ? '✓' : '✗'} ${predicted}`;
  return html`<figure>${image(picture, `Evidence for ${label} by ${title}`)}<figcaption>${note}</figcaption></figure>`;
})}</div>`;
})}`;
}

function cycles({ cycles, frames }: CrossVideoContent): Markup {
  return html`<p>From a frame to the parts of its soft neighbour, with their weights, and back: to another frame of its own video,
or to some other one. Candidates are the frames of a random half of the other videos, the other half are negatives.</p>
${cycles.map(({ start, neighbours, effectiveNeighbours, target, reached, rank }) => {
  const label = frames.get(start)!.label;
  const back = reached === target ? '✓ its own video' : `✗ ${frames.get(reached)!.label}; its own at place ${rank}`;
  return html`<div class="frames">${shown(frames, start, `${label}, start`)}<span>→</span>
${neighbours.map(({ frame, weight }) => shown(frames, frame, `${percent(weight)} ${verdict(frames, frame, label)}`))}
<span>→</span>${shown(frames, reached, back)}<span class="soft">${effectiveNeighbours.toFixed(1)} effective neighbours</span></div>`;
})}`;
}

function verdict(frames: CrossVideoContent['frames'], frame: number, wanted: string): string {
  const { label } = frames.get(frame)!;
  return `${label === wanted ? '✓' : '✗'} ${label}`;
}

function shown(frames: CrossVideoContent['frames'], frame: number, note: string): Markup {
  const { picture, id, label } = frames.get(frame)!;
  const text = `A frame of ${id}, class ${label}`;
  return html`<figure>${image(picture, text)}<figcaption>${note}</figcaption></figure>`;
}
