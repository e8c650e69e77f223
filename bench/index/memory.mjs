// Peak memory and time for large data sets, each step in a process of its own: indexing n unchanged files, reading their
// manifest at once, reading it line by line, and the search for near duplicates against comparing all pairs.
// usage: node bench/index/memory.mjs [files, default 100000]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const LIMIT = 300e6;
const data = '../../packages/chronotope/dist/data';
const [step = '100000', folder] = process.argv.slice(2);

/** 256 bits in hexadecimal, a few of them 1 as in real hashes; every 50th is near the one before. */
function hashes(count) {
  let state = 1;
  const word = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
  const fresh = () => Uint32Array.from({ length: 8 }, () => word() & (word() | word()));
  const all = new Uint32Array(count * 8);
  for (let i = 0; i < count; i++) {
    const isCopy = i % 50 === 49;
    all.set(isCopy ? all.slice(8 * i - 8, 8 * i) : fresh(), 8 * i);
    if (isCopy) all[8 * i + (i % 8)] ^= 0b101;
  }
  return all;
}

const hex = (words) => [...words].map((word) => word.toString(16).padStart(8, '0')).join('');

/** Files that the journal already knows, so that indexing them decodes nothing. */
function makeKnownFiles(count, root) {
  const videos = path.join(root, 'videos');
  const journal = [];
  const allHashes = hashes(count);
  for (let i = 0; i < count; i++) {
    const folder = path.join(videos, i % 10 === 0 ? `_test/action number ${i % 400}` : `action number ${i % 400}`);
    if (i < 400 * 10) mkdirSync(folder, { recursive: true });
    const file = path.join(folder, `video_of_a_usual_name_${i}_000010_000020.mp4`);
    writeFileSync(file, String(i));
    const { size: bytes, mtimeMs: modified } = statSync(file);
    const sha256 = i.toString(16).padStart(64, '0');
    journal.push(
      JSON.stringify({
        version: 2,
        path: file,
        file: { bytes, modified, sha256 },
        outcome: { video: facts(i, allHashes), header },
      }),
    );
  }
  mkdirSync(path.join(root, 'index'));
  writeFileSync(path.join(root, 'index', 'inspected.jsonl'), `${journal.join('\n')}\n`);
}

const header = {
  ...{ container: 'mov,mp4,m4a,3gp,3g2,mj2', codec: 'h264', pixelFormat: 'yuv420p', width: 340, height: 256 },
  ...{ codedWidth: 340, codedHeight: 256, rotation: 0, sampleAspectRatio: 1, frameRate: 30000 / 1001 },
  ...{ averageFrameRate: 30000 / 1001, duration: 10.01, durationOf: 'stream', frameCount: 300, startTime: 0 },
  ...{ startPts: 0, timeBase: [1, 30000] },
};

function facts(i, allHashes) {
  return {
    ...{ container: 'mov,mp4,m4a,3gp,3g2,mj2', codec: 'h264', pixelFormat: 'yuv420p', width: 340, height: 256 },
    ...{ rotation: 0, sampleAspectRatio: 1, audio: true, frames: 300 - (i % 7), duration: 10.01 - (i % 100) / 100 },
    ...{ statedDuration: 10.01, durationOf: 'stream', startTime: 0, fps: 29.97, statedFps: 29.97 },
    ...{ variableFrameRate: false, keyframes: 2, keyframeSpacing: 8.3, decodableShare: 1, warnings: [] },
    perceptualHash: hex(allHashes.subarray(8 * i, 8 * i + 8)),
  };
}

const steps = {
  async index() {
    const { indexVideos } = await import(`${data}/index/index-videos.js`);
    const report = await indexVideos({ source: path.join(folder, 'videos'), out: path.join(folder, 'index') });
    return `${report.usable} videos, ${report.duplicates.length} groups of duplicates`;
  },
  async read() {
    const { readManifest } = await import(`${data}/manifest.js`);
    return `${readManifest(path.join(folder, 'index', 'manifest.jsonl')).length} entries`;
  },
  async stream() {
    const { manifestEntries } = await import(`${data}/manifest.js`);
    const { indexedManifestFormat } = await import(`${data}/index/facts.js`);
    let seconds = 0;
    for (const { video } of manifestEntries(path.join(folder, 'index', 'manifest.jsonl'), indexedManifestFormat)) {
      seconds += video.duration;
    }
    return `${(seconds / 3600).toFixed(1)} h of video`;
  },
};

if (step in steps) {
  const start = performance.now();
  const result = await steps[step]();
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ result, seconds, peak: process.resourceUsage().maxRSS * 1024 }));
} else {
  await measure(Number(step));
}

async function measure(count) {
  const root = mkdtempSync(path.join(tmpdir(), 'chronotope-memory-'));
  try {
    makeKnownFiles(count, root);
    for (const name of Object.keys(steps)) {
      const { stdout, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), name, root], {
        encoding: 'utf8',
        maxBuffer: 1 << 30,
      });
      if (stdout === '') throw new Error(stderr);
      const { result, seconds, peak } = JSON.parse(stdout);
      const verdict = peak < LIMIT ? 'under' : 'OVER';
      console.log(`${name}: ${result}; ${seconds.toFixed(1)} s, peak ${(peak / 1e6).toFixed(0)} MB, ${verdict} 300 MB`);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  await compareSearches(count);
}

/** All pairs at a size where that is bearable; then the search alone at full size. */
async function compareSearches(count) {
  const { linkNearHashes } = await import(`${data}/index/near-duplicates.js`);
  const { bitCount } = await import(`${data}/index/perceptual-hash.js`);
  const few = Math.min(count, 10_000);
  const all = hashes(count);
  // Processor time, so that what else runs on the machine counts for little.
  const time = (work) => {
    const start = process.cpuUsage().user;
    const found = work();
    return { found, seconds: (process.cpuUsage().user - start) / 1e6 };
  };
  const search = (n) => time(() => linkNearHashes(all.subarray(0, 8 * n), { wordsPerHash: 8, radius: 24 }).length);
  const pairs = time(() => {
    let found = 0;
    for (let a = 0; a < few; a++) {
      for (let b = 0; b < a; b++) {
        let distance = 0;
        for (let i = 0; i < 8; i++) distance += bitCount(all[8 * a + i] ^ all[8 * b + i]);
        if (distance <= 24) found += 1;
      }
    }
    return found;
  });
  const fast = search(few);
  const ratio = (pairs.seconds / fast.seconds).toFixed(0);
  console.log(
    `near duplicates among ${few}: all pairs ${pairs.seconds.toFixed(2)} s (${pairs.found}), ` +
      `search ${fast.seconds.toFixed(2)} s (${fast.found}), ratio ${ratio}`,
  );
  const full = search(count);
  console.log(`near duplicates among ${count}: search ${full.seconds.toFixed(1)} s (${full.found})`);
}
