// Clips a second of the loader in the first epoch and in later ones, against PyAV, OpenCV and torchvision reading the same
// frames of the same videos with as many processes as there are processors, alternating; then with augmentation of the
// TimeBalance kind, against decoding whole files and transforming frame by frame as the official code does. Every figure
// is given in wall time and in processor time, which suffers less from what else the machine does (Linux).
//
//   node bench/video/compare.mjs [folder of videos] [rounds] [videos]
//
// Without a folder ('-'), 320x240 H.264 videos of 10 s are made. Needs a Python with av, cv2, torch and torchvision (PYTHON, or
// /usr/bin/python3).

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { timebalancePretext, timebalanceTrain } from '../../packages/chronotope/dist/augment/presets.js';
import { ClipReader } from '../../packages/chronotope/dist/data/clip-reader.js';
import { ClipWorkers } from '../../packages/chronotope/dist/data/clip-workers.js';
import { indexVideos } from '../../packages/chronotope/dist/data/index/index-videos.js';
import { KnownFiles } from '../../packages/chronotope/dist/data/index/known-files.js';
import { ClipLoader } from '../../packages/chronotope/dist/data/loader.js';
import { drawViews } from '../../packages/chronotope/dist/data/make-views.js';
import { pretextPlan, trainPlan } from '../../packages/chronotope/dist/data/views.js';
import { scope } from '../../packages/torch/dist/index.js';
import { buildFrameStore, FrameStore, probe } from '../../packages/video/dist/index.js';

const [SHORT_SIDE, INPUT, BATCH, OUR_EPOCHS, OUR_AUGMENTED_EPOCHS] = [128, 112, 8, 20, 4];
const GEOMETRY = { frames: 16, stride: 2, globalStride: 4, localClips: 4, virtualFrames: null, shortVideo: 'stretch' };
const trainClips = trainPlan(GEOMETRY, timebalanceTrain);
const source = process.argv[2] ?? '-';
const [rounds, most] = [Number(process.argv[3] ?? 3), Number(process.argv[4] ?? 24)];

const folder = mkdtempSync(join(tmpdir(), 'chronotope-bench-'));
const python = spawn(process.env.PYTHON ?? '/usr/bin/python3', [new URL('peers.py', import.meta.url).pathname], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

try {
  const videos = source === '-' ? makeVideos() : copyVideos();
  await ask({ reader: 'pyav', size: null, clips: [] });
  const store = await firstEpochs(videos);
  await laterEpochs(videos, store);
  await sameFrames(videos);
  await augmented('training: 1 clip a video', trainClips, videos, store);
  await augmented('pre-training: 10 clips a video', pretextPlan(GEOMETRY, timebalancePretext), videos, store);
} finally {
  python.stdin.end();
  rmSync(folder, { recursive: true });
}

/** Index, store and one epoch of reading from nothing, against two epochs of PyAV. */
async function firstEpochs(videos) {
  const times = { index: [], store: [], read: [], pyav: [], pyavWhole: [] };
  let store;
  for (let round = 0; round < rounds; round++) {
    const dir = join(folder, `store-${round}`);
    times.index.push(await timed(() => indexVideos({ source: join(folder, 'videos'), out: join(dir, 'index') })));
    const index = KnownFiles.of(join(dir, 'index', 'manifest.jsonl'));
    const settings = { shortSide: SHORT_SIDE, known: (path) => index.find(path) };
    times.store.push(await timed(() => buildFrameStore(join(dir, 'frames'), videos, settings)));
    index.close();
    store = await FrameStore.open(join(dir, 'frames'), videos);
    const epochs = [0, 1].map((epoch) => clipsOf(videos, store, 2 * round + epoch));
    times.read.push(await timed(() => readEpoch(new ClipReader(store), epochs[0])));
    const size = sizeOf(store, epochs[0]);
    const pyav = [];
    for (const clips of epochs) pyav.push(await ask({ reader: 'pyav', size, clips }));
    times.pyav.push(sum(pyav));
    times.pyavWhole.push(await ask({ reader: 'pyav-whole', size, clips: epochs[0] }));
  }
  const total = times.index.map((index, round) => sum([index, times.store[round], times.read[round]]));
  console.log(`${videos.length} videos, ${store.ids.reduce((count, id) => count + store.get(id).frames, 0)} frames`);
  console.log(`first epoch: ${typical(total)}`);
  for (const name of ['index', 'store', 'read']) console.log(`  ${name.padEnd(6)} ${typical(times[name])}`);
  console.log(`two epochs of PyAV: ${typical(times.pyav)}; PyAV / ours ${ratio(times.pyav, total)}`);
  console.log(
    `every frame once, with PyAV: ${typical(times.pyavWhole)}; two epochs / that ${ratio(times.pyav, times.pyavWhole)}`,
  );
  return store;
}

async function laterEpochs(videos, store) {
  const times = { ours: [], pyav: [], opencv: [], torchvision: [] };
  const reader = new ClipReader(store);
  for (let round = 0; round < rounds; round++) {
    const clips = clipsOf(videos, store, 100 + round);
    // Many epochs, because one is too short for the clock of processor time.
    const epochs = Array.from({ length: OUR_EPOCHS }, (_, k) => clipsOf(videos, store, OUR_EPOCHS * round + k));
    const { wall, processor } = await timed(() => {
      for (const epoch of epochs) readEpoch(reader, epoch);
    });
    times.ours.push({ wall: wall / OUR_EPOCHS, processor: processor / OUR_EPOCHS });
    for (const name of ['pyav', 'opencv', 'torchvision']) {
      times[name].push(await ask({ reader: name, size: sizeOf(store, clips), clips }));
    }
  }
  reader.dispose();
  console.log('later epochs, 16 frames, short side 128:');
  for (const [name, values] of Object.entries(times)) {
    const against = name === 'ours' ? '' : `; ${name} / ours ${ratio(values, times.ours)}`;
    console.log(`  ${name.padEnd(12)} ${rates(videos.length, values)}${against}`);
  }
}

/** Unscaled, because scalers differ: the same frames, pixel by pixel. */
async function sameFrames(videos) {
  const few = [];
  for (const video of videos.slice(0, 6)) few.push({ ...video, info: await probe(video.path) });
  const [{ info }] = few;
  const alike = few.filter((one) => one.info.width === info.width && one.info.height === info.height);
  const dir = join(folder, 'unscaled');
  await buildFrameStore(dir, alike, { shortSide: Math.min(info.width, info.height) });
  const store = await FrameStore.open(dir, alike);
  const clips = clipsOf(alike, store, 7);
  const ours = scope(() => new ClipReader(store).read(clips)[0].frames.contiguous().data());
  console.log(`the same frames unscaled, ${clips.length} clips:`);
  for (const reader of ['pyav', 'opencv', 'torchvision']) {
    const out = join(folder, 'pixels');
    await ask({ reader, size: null, clips, out });
    console.log(`  ${reader.padEnd(12)} ${compared(ours, readFileSync(out), 16 * clips.length)}`);
  }
}

function compared(ours, theirs, frames) {
  if (ours.length !== theirs.length) return 'another number of pixels';
  const bytes = ours.length / frames;
  let [same, most, total] = [0, 0, 0];
  for (let frame = 0; frame < frames; frame++) {
    let largest = 0;
    for (let k = frame * bytes; k < (frame + 1) * bytes; k++) {
      const difference = Math.abs(ours[k] - theirs[k]);
      largest = Math.max(largest, difference);
      total += difference;
    }
    if (largest === 0) same++;
    most = Math.max(most, largest);
  }
  return `${same} of ${frames} frames identical; differences of at most ${most}, on average ${(total / ours.length).toFixed(3)} of 255`;
}

async function augmented(title, plan, videos, store) {
  const entries = videos.map(({ id, path }) => ({ id, path, label: null, split: 'train' }));
  const reader = new ClipReader(store);
  const pool = new ClipWorkers(availableParallelism());
  const settings = {
    entries,
    classes: [],
    reader,
    plan,
    size: INPUT,
    batchSize: Math.min(BATCH, videos.length),
    seed: 1,
  };
  const variants = [
    { title: 'ours, 1 thread', loader: new ClipLoader(settings), times: [] },
    { title: `ours, ${pool.count} threads`, loader: new ClipLoader({ ...settings, workers: pool }), times: [] },
  ];
  const perVideo = plan.views.reduce((count, { shape }) => count + shape.reduce((product, n) => product * n, 1), 0);
  const official = [];
  // The first round warms all up.
  for (let round = 0; round <= rounds; round++) {
    for (const { loader, times } of variants) {
      const { wall, processor } = await timed(() => makeBatches(loader, round));
      if (round > 0) times.push({ wall: wall / OUR_AUGMENTED_EPOCHS, processor: processor / OUR_AUGMENTED_EPOCHS });
    }
    const theirs = await ask({
      reader: 'official',
      size: INPUT,
      clips: await officialClips(plan, videos, store, round),
    });
    if (round > 0) official.push(theirs);
  }
  await pool.dispose();
  reader.dispose();
  const clips = perVideo * videos.length;
  console.log(`${title}, augmented to ${INPUT}:`);
  console.log(`  ${'official way'.padEnd(16)} ${rates(clips, official)}`);
  for (const { title: name, times } of variants) {
    console.log(`  ${name.padEnd(16)} ${rates(clips, times)}; official / ours ${ratio(official, times)}`);
  }
}

/** The batches of some epochs, as a training asks for them. */
async function makeBatches(loader, round) {
  const first = round * OUR_AUGMENTED_EPOCHS * loader.batchesPerEpoch;
  const end = first + OUR_AUGMENTED_EPOCHS * loader.batchesPerEpoch;
  for (let step = first; step < end; step++) {
    await loader.prepare(step, end);
    scope(() => void loader.stepBatch(step));
  }
}

/** What the official way does with each video: the draws are those for its unscaled frames. */
async function officialClips(plan, videos, store, epoch) {
  const clips = [];
  for (const [k, { id, path }] of videos.entries()) {
    const { width, height } = await probe(path);
    const drawn = drawViews(plan, { ...store.get(id), width, height }, INPUT, { seed: 1, epoch, video: k });
    clips.push({
      path,
      frames: drawn.map(({ frames }) => frames),
      augmentations: drawn.map((one) => one.augmentation),
    });
  }
  return clips;
}

/** One training clip of each video. */
function clipsOf(videos, store, epoch) {
  return videos.map(({ id, path }, k) => {
    const stored = store.get(id);
    const [{ frames }] = drawViews(trainClips, stored, INPUT, { seed: 1, epoch, video: k });
    return { id, path, frames, times: frames.map((frame) => stored.timestamps[frame]) };
  });
}

function readEpoch(reader, clips) {
  for (let start = 0; start < clips.length; start += BATCH) {
    scope(() => void reader.read(clips.slice(start, start + BATCH)));
  }
}

/** Width and height that the peers scale to: those of the first stored video. */
function sizeOf(store, clips) {
  const { width, height } = store.get(clips[0].id);
  return [width, height];
}

async function ask(request) {
  python.stdin.write(`${JSON.stringify({ out: null, ...request })}\n`);
  return JSON.parse((await answers.next()).value);
}

/** Wall and processor seconds of some work, with those of the child processes that it started. */
async function timed(work) {
  const [started, before] = [performance.now(), processorSeconds()];
  await work();
  return { wall: (performance.now() - started) / 1000, processor: processorSeconds() - before };
}

/** User and system time of this process and of its children that have ended (proc(5), fields 14 to 17, in 1/100 s). */
function processorSeconds() {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((ticks, field) => ticks + Number(field), 0) / 100;
}

function sum(times) {
  const add = (kind) => times.reduce((total, time) => total + time[kind], 0);
  return { wall: add('wall'), processor: add('processor') };
}

function typical(times) {
  const [wall, processor] = ['wall', 'processor'].map((kind) => median(times.map((time) => time[kind])).toFixed(2));
  return `${wall} s (${processor} s of processor time)`;
}

function rates(clips, times) {
  const [wall, processor] = ['wall', 'processor'].map((kind) => clips / median(times.map((time) => time[kind])));
  return `${wall.toFixed(1).padStart(7)} clips/s (${processor.toFixed(1)} a second of processor time)`;
}

/** Medians over rounds of theirs / ours. */
function ratio(theirs, ours) {
  const [wall, processor] = ['wall', 'processor'].map((kind) =>
    median(theirs.map((time, round) => time[kind] / ours[round][kind])).toFixed(1),
  );
  return `${wall} (processor time ${processor})`;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}

function makeVideos() {
  mkdirSync(join(folder, 'videos'));
  return Array.from({ length: most }, (_, k) => {
    const path = join(folder, 'videos', `${k}.mp4`);
    const picture = `testsrc2=size=320x240:rate=30:duration=10,hue=h=${15 * k},noise=alls=8:allf=t:all_seed=${k}`;
    const options = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', path];
    const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', picture, ...options]);
    if (status !== 0) throw new Error(`ffmpeg: ${stderr}`);
    return { id: `${k}.mp4`, path };
  });
}

function copyVideos() {
  const found = readdirSync(source, { recursive: true })
    .filter((name) => name.endsWith('.mp4'))
    .sort();
  const step = Math.max(1, found.length / most);
  return Array.from({ length: Math.min(most, found.length) }, (_, k) => {
    const name = found[Math.floor(k * step)];
    const id = `${k}-${name.replaceAll('/', '_')}`;
    cpSync(join(source, name), join(folder, 'videos', id));
    return { id, path: join(folder, 'videos', id) };
  });
}
