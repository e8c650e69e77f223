// Damages thousands of small videos in a seeded way and reads them with @chronotope/video: every one must end within its
// limits in frames or a typed error, and no frame may be one of another video. Exit code 1 if a promise is broken.
// usage: node bench/video-fuzz.mjs [--count 2000] [--seed 1] [--first 0] [--concurrency 2] [--folder <kept folder>]
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fuzzVideos } from '../packages/video/dist/fuzz.test.helper.js';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    concurrency: { type: 'string', default: '2' },
    folder: { type: 'string' },
  },
});
const folder = values.folder ?? mkdtempSync(path.join(tmpdir(), 'chronotope-fuzz-'));
mkdirSync(folder, { recursive: true });
const count = Number(values.count);

const began = performance.now();
const report = await fuzzVideos({
  folder,
  count,
  seed: Number(values.seed),
  first: Number(values.first),
  concurrency: Number(values.concurrency),
  onProgress: (done) => {
    if (done % 100 === 0) console.error(`${done} of ${count}`);
  },
});
const seconds = ((performance.now() - began) / 1000).toFixed(0);

const total = {};
for (const [kind, outcomes] of Object.entries(report.outcomes).sort()) {
  const counts = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
  console.log(`${kind}: ${counts.map(([outcome, times]) => `${times} ${outcome}`).join(', ')}`);
  for (const [outcome, times] of counts) total[outcome] = (total[outcome] ?? 0) + times;
}
const all = Object.entries(total).sort(([, a], [, b]) => b - a);
console.log(`\nall ${count}: ${all.map(([outcome, times]) => `${times} ${outcome}`).join(', ')}`);
console.log(`${report.frames} frames, ${seconds} s, slowest file ${(report.slowestMs / 1000).toFixed(1)} s`);
console.log(`broken promises: ${report.violations.length}`);
for (const violation of report.violations) console.log(`  ${violation}`);
if (report.violations.length > 0) {
  console.log(`The files are in ${folder}.`);
  process.exitCode = 1;
} else if (values.folder === undefined) rmSync(folder, { recursive: true });
