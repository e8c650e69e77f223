// How much faster a second look at an unchanged data set is: indexes n different real videos from nothing, then again, in
// turns, and prints the ratio.
// usage: node bench/index/reindex.mjs [videos, default 1000] [rounds, default 1]
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encode } from '@chronotope/video';
import { indexVideos } from '../../packages/chronotope/dist/data/index/index-videos.js';

const [videos = 1000, rounds = 1] = process.argv.slice(2).map(Number);
const root = mkdtempSync(path.join(tmpdir(), 'chronotope-reindex-'));
const source = path.join(root, 'videos');
const out = path.join(root, 'index');

/** An MP4 may end in boxes that players pass over; one with a number makes a file with contents of its own. */
function withFreeBox(bytes, number) {
  const box = Buffer.alloc(16);
  box.writeUInt32BE(16, 0);
  box.write('free', 4);
  box.writeUInt32BE(number, 8);
  return Buffer.concat([bytes, box]);
}

async function makeVideos() {
  const size = { width: 170, height: 128 };
  const frames = Uint8Array.from({ length: 75 * 170 * 128 * 3 }, (_, i) => (i * 7 + (i >> 9) * (i >> 16)) & 255);
  mkdirSync(path.join(source, 'class'), { recursive: true });
  const first = path.join(root, 'first.mp4');
  await encode(frames, first, { ...size, fps: 25 });
  const bytes = readFileSync(first);
  for (let i = 0; i < videos; i++) writeFileSync(path.join(source, 'class', `${i}.mp4`), withFreeBox(bytes, i));
}

async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

try {
  await makeVideos();
  for (let round = 0; round < rounds; round++) {
    rmSync(out, { recursive: true, force: true });
    const cold = await seconds(() => indexVideos({ source, out }));
    const warm = await seconds(() => indexVideos({ source, out }));
    const ratio = (cold / warm).toFixed(0);
    console.log(`${videos} videos: first ${cold.toFixed(1)} s, unchanged ${warm.toFixed(2)} s, ratio ${ratio}`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
