// Clips of 16 consecutive frames at short side 128: read from a raw and a JPEG frame store, against decoding them with
// PyAV each time, in alternating rounds over the same clips. Then the first epoch: building the store and reading one
// clip of each video, against reading two clips of each with PyAV.
//
// PyAV runs in one process, seeks to the key frame before the clip and stops after it; with `whole` it decodes the file
// to its end, as the loaders of the papers do. What is compared is the time that passes, and the processor time, which
// says what a machine full of loaders would do.
//
//   node bench/video/store.mjs [folder of videos] [rounds]   needs a Python with av (PYTHON, or /usr/bin/python3)
//
// Without a folder it makes 24 H.264 videos of 320 x 240 pixels, 180 frames each.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ClipReader } from '../../packages/chronotope/dist/data/clip-reader.js';
import { scope } from '../../packages/torch/dist/index.js';
import { buildFrameStore, decode, formatBytes } from '../../packages/video/dist/index.js';

const [COUNT, SHORT_SIDE, BATCH, CLIPS_A_ROUND] = [16, 128, 8, 32];
const scratch = mkdtempSync(join(tmpdir(), 'chronotope-bench-'));
const rounds = Number(process.argv[3] ?? 7);
const python = spawn(process.env.PYTHON ?? '/usr/bin/python3', [new URL('store.py', import.meta.url).pathname], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

try {
  const folder = process.argv[2] ?? makeVideos(join(scratch, 'videos'));
  const all = readdirSync(folder, { recursive: true })
    .filter((name) => /\.(mp4|avi|mkv|webm|mpe?g)$/.test(name))
    .map((name) => ({ id: name, path: join(folder, name) }));
  const raw = await build(all, 'raw');
  const jpeg = await build(all, 'jpeg');
  const videos = all.filter(({ id }) => (raw.store.get(id)?.frames ?? 0) >= COUNT);
  const total = videos.reduce((sum, { id }) => sum + raw.store.get(id).frames, 0);
  console.log(`${videos.length} videos, ${total} frames; store ${raw.size} raw, ${jpeg.size} JPEG`);
  await compareFrames(videos, raw.store);
  await laterEpochs(videos, { raw: new ClipReader(raw.store), jpeg: new ClipReader(jpeg.store) });
  for (const built of [raw, jpeg]) await firstEpoch(videos, built);
} finally {
  python.stdin.end();
  rmSync(scratch, { recursive: true });
}

function makeVideos(target) {
  mkdirSync(target);
  const outputs = Array.from({ length: 24 }, (_, k) => [
    ...['-ss', String(k), '-frames:v', '180', '-pix_fmt', 'yuv420p', join(target, `${k}.mp4`)],
  ]);
  const picture = 'testsrc2=size=320x240:rate=25:duration=40,noise=alls=6:allf=t';
  execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', picture, ...outputs.flat()]);
  return target;
}

/** Builds a store from nothing, with the time it took. */
async function build(videos, format) {
  const started = measure();
  const { store } = await buildFrameStore(join(scratch, format), videos, { shortSide: SHORT_SIDE, format });
  const time = started();
  const files = readdirSync(store.dir).filter((name) => /\.(rgb|jpegs)$/.test(name));
  const bytes = files.reduce((sum, name) => sum + readFileSync(join(store.dir, name)).length, 0);
  return { format, store, time, size: formatBytes(bytes) };
}

/** Raw frames must be those that decoding gives, and very nearly those of PyAV, whose scaler rounds differently. */
async function compareFrames(videos, store) {
  const reader = new ClipReader(store);
  let [levels, values] = [0, 0];
  for (const { id, path } of videos.slice(0, 8)) {
    const ours = scope(() => {
      const frames = Array.from({ length: COUNT }, (_, k) => k);
      return Buffer.from(reader.read([{ id, frames }])[0].frames.contiguous().data());
    });
    const { data } = await decode(path, { shortSide: SHORT_SIDE, maxFrames: COUNT });
    if (!ours.equals(data)) throw new Error(`${id}: the store delivers other frames than decoding`);
    const out = join(scratch, 'out');
    await pyav([[path, 0]], { out });
    const theirs = readFileSync(out);
    if (theirs.length !== ours.length) continue;
    for (let k = 0; k < ours.length; k++) levels += Math.abs(ours[k] - theirs[k]);
    values += ours.length;
  }
  reader.dispose();
  console.log(
    `raw frames equal decoded ones; they differ from PyAV's by ${(levels / values).toFixed(3)} levels of 255`,
  );
}

async function laterEpochs(videos, readers) {
  const times = { raw: [], jpeg: [], seeking: [], whole: [] };
  for (let round = -1; round < rounds; round++) {
    const clips = Array.from({ length: CLIPS_A_ROUND }, () => {
      const { id, path } = videos[Math.floor(Math.random() * videos.length)];
      const start = Math.floor(Math.random() * (readers.raw.info(id).frames - COUNT + 1));
      return { id, path, start };
    });
    for (const [kind, reader] of Object.entries(readers)) {
      const time = measure();
      readAll(reader, clips);
      keep(times[kind], time(), round);
    }
    const wanted = clips.map(({ path, start }) => [path, start]);
    keep(times.seeking, await pyav(wanted), round);
    keep(times.whole, await pyav(wanted, { whole: true }), round);
  }
  console.log(`\nlater epochs, ${rounds} rounds of ${CLIPS_A_ROUND} clips, medians:`);
  console.log('                     clips/s   per processor second   x PyAV seeking   x PyAV whole file');
  for (const [kind, title] of Object.entries({
    raw: 'raw store',
    jpeg: 'JPEG store',
    seeking: 'PyAV, seeking',
    whole: 'PyAV, whole file',
  })) {
    const rate = (name) => CLIPS_A_ROUND / median(times[kind].map((time) => time[name]));
    const ratio = (other) => median(times[kind].map(({ seconds }, k) => times[other][k].seconds / seconds));
    const cells = [rate('seconds'), rate('processorSeconds'), ratio('seeking'), ratio('whole')];
    console.log(
      `  ${title.padEnd(17)} ${cells.map((cell, k) => cell.toFixed(1).padStart([9, 20, 18, 19][k])).join('')}`,
    );
  }
}

/** Building the store and one clip of each video, against two clips of each with PyAV. */
async function firstEpoch(videos, { format, store, time }) {
  const reader = new ClipReader(store);
  const reading = measure();
  readAll(
    reader,
    videos.map(({ id }) => ({ id, start: 0 })),
  );
  const read = reading();
  reader.dispose();
  const clips = [...videos, ...videos].map(({ id, path }) => {
    return [path, Math.floor(Math.random() * (store.get(id).frames - COUNT + 1))];
  });
  const seeking = await pyav(clips);
  const whole = await pyav(clips, { whole: true });
  console.log(`\nfirst epoch with a ${format} store, against two epochs of PyAV in one process:`);
  for (const [name, title] of Object.entries({ seconds: 'seconds', processorSeconds: 'processor seconds' })) {
    const ours = time[name] + read[name];
    const cells = [ours, seeking[name], whole[name]].map((value) => value.toFixed(1));
    console.log(
      `  ${title.padEnd(18)} ours ${cells[0]}, PyAV seeking ${cells[1]}, whole file ${cells[2]}: ${(seeking[name] / ours).toFixed(2)} and ${(whole[name] / ours).toFixed(2)} times as long`,
    );
  }
}

function readAll(reader, clips) {
  for (let k = 0; k < clips.length; k += BATCH) {
    scope(() => {
      const requests = clips.slice(k, k + BATCH).map(({ id, start }) => {
        return { id, frames: Array.from({ length: COUNT }, (_, t) => start + t) };
      });
      reader.read(requests);
    });
  }
}

async function pyav(clips, { whole = false, out } = {}) {
  python.stdin.write(`${JSON.stringify({ clips, count: COUNT, shortSide: SHORT_SIDE, whole, out })}\n`);
  const { value } = await answers.next();
  if (value === undefined) throw new Error('the Python side ended');
  const answer = JSON.parse(value);
  if (answer.frames !== clips.length * COUNT) console.log(`PyAV gave ${answer.frames} frames`);
  return answer;
}

/** Starts a clock; calling the result reads it. Processor time includes that of children that have ended. */
function measure() {
  const started = performance.now();
  const processor = processorSeconds();
  return () => ({ seconds: (performance.now() - started) / 1000, processorSeconds: processorSeconds() - processor });
}

/** Of this process and, from Linux' own books, of its children that have ended. */
function processorSeconds() {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ').map(Number);
  const [user, system, childUser, childSystem] = fields.slice(11, 15);
  return (user + system + childUser + childSystem) / 100;
}

function keep(times, time, round) {
  // The first round warms all up.
  if (round >= 0) times.push({ ...time, processorSeconds: Math.max(time.processorSeconds, 0.01) });
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
