// Memory and time that a loader needs for a set of many videos, and for an epoch's order. Prints both.
//   node bench/loader-memory.mjs [videos]

import { timebalanceTrain } from '../packages/chronotope/dist/augment/presets.js';
import { ClipReader } from '../packages/chronotope/dist/data/clip-reader.js';
import { ClipLoader } from '../packages/chronotope/dist/data/loader.js';
import { BatchSampler } from '../packages/chronotope/dist/data/sampler.js';
import { trainPlan } from '../packages/chronotope/dist/data/views.js';

const videos = Number(process.argv[2] ?? 100_000);
const megabytes = () => Math.round(process.memoryUsage.rss() / 1e6);
const stored = { file: '', frames: 300, height: 128, width: 170 };
const geometry = { frames: 16, stride: 2, globalStride: 4, localClips: 4, virtualFrames: null, shortVideo: 'official' };
const classes = Array.from({ length: 400 }, (_, k) => `class ${k}`);

console.log(`before: ${megabytes()} MB`);
const entries = Array.from({ length: videos }, (_, k) => {
  const label = classes[k % 400];
  return { id: `${label}/video ${k}.mp4`, path: `/data/${label}/video ${k}.mp4`, label, split: 'train' };
});
console.log(`with ${videos} manifest entries: ${megabytes()} MB`);
const started = performance.now();
const loader = new ClipLoader({
  ...{ entries, classes, reader: new ClipReader({ get: () => stored }), plan: trainPlan(geometry, timebalanceTrain) },
  ...{ size: 112, batchSize: 32, seed: 1 },
});
const seconds = (performance.now() - started) / 1000;
console.log(`with a loader of ${loader.videos} videos: ${megabytes()} MB, made in ${seconds.toFixed(1)} s`);
for (const balanced of [false, true]) {
  const sampler = new BatchSampler({ classes: entries.map((_, k) => k % 400), batchSize: 32, seed: 1, balanced });
  const ordering = performance.now();
  for (let epoch = 0; epoch < 5; epoch++) sampler.epochBatch(epoch, 0);
  const each = (performance.now() - ordering) / 5;
  console.log(`${balanced ? 'balanced' : 'random'} order: ${each.toFixed(0)} ms an epoch, ${megabytes()} MB`);
}
