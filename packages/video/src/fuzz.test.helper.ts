import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { clip } from './clip.js';
import { type DecodedVideo, type DecodeOptions, decode } from './decode.js';
import { decodeTogether } from './decode-together.js';
import { VideoError } from './errors.js';
import { frameHashes, frameMd5, makeVideos, type VideoRecipe } from './fixtures.test.helper.js';
import { FuzzRandom, type FuzzSource, mutations } from './fuzz-mutations.test.helper.js';
import { probe } from './probe.js';

/** What is fuzzed. */
export interface FuzzOptions {
  /** Folder for the files; those that break a promise stay in it. */
  folder: string;
  /** Damaged videos to try. */
  count: number;
  /** The same seed makes the same damaged videos. Default 1. */
  seed?: number;
  /** Number of the first one, to repeat a part. Default 0. */
  first?: number;
  /** Time limit of each operation. Default 20,000. */
  timeoutMs?: number;
  /** Videos tried at the same time. Default 2. */
  concurrency?: number;
  onProgress?: (done: number) => void;
}

/** What came out. */
export interface FuzzReport {
  /** For each way of damage how often each outcome was met: `complete`, `damage: …` or the code of the error. */
  outcomes: Record<string, Record<string, number>>;
  /** Frames delivered in all. */
  frames: number;
  /** Milliseconds of the slowest file. */
  slowestMs: number;
  /** Broken promises, each with its number and seed. */
  violations: string[];
}

const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const withSound = ['-map', '0:v', '-map', '1:a', '-c:a', 'aac'];

/** The videos that are damaged, except for the hue that tells their frames apart. */
const sourceRecipes: VideoRecipe[] = [
  ['index first.mp4', [...withSound, ...x264, '-g', '6', '-bf', '2', '-movflags', '+faststart']],
  ['index last.mp4', [...x264, '-g', '8']],
  ['matroska.mkv', [...withSound, ...x264, '-g', '6', '-bf', '2']],
  ['mpeg4.avi', ['-c:v', 'mpeg4', '-g', '6', '-bf', '2']],
  ['vp8.webm', ['-c:v', 'libvpx', '-deadline', 'realtime', '-g', '6']],
  ['jpeg.mov', ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p']],
  ['broadcast.ts', ['-c:v', 'mpeg2video', '-g', '6']],
  ['animation.gif', []],
  ['hevc.mp4', ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=6']],
];

/**
 * Damages videos and reads them: each must end within its limits with frames or a VideoError, and no frame may be one of
 * another video, nor spoil one that is decoded beside it.
 */
export async function fuzzVideos(options: FuzzOptions): Promise<FuzzReport> {
  const { folder, count, seed = 1, first = 0, concurrency = 2, onProgress } = options;
  const sources = await makeSources(folder);
  const owners = await ownersOfFrames(folder, sources);
  const report: FuzzReport = { outcomes: {}, frames: 0, slowestMs: 0, violations: [] };
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < first + count) {
      await tryOne(next++, { ...options, seed }, sources, owners, report);
      onProgress?.(next - first);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return report;
}

async function makeSources(folder: string): Promise<FuzzSource[]> {
  const coloured = sourceRecipes.map(([name, args], i): VideoRecipe => {
    const sound = args.includes('-c:a') ? [] : ['-an'];
    return [name, ['-vf', `hue=h=${37 * i}:s=${1 + i / 10}`, ...sound, ...args]];
  });
  const names = await makeVideos(folder, coloured, { frames: 20 }, ['-f', 'lavfi', '-i', 'sine=duration=0.8']);
  return Promise.all(
    names.map(async (name) => ({ name, extension: extname(name), bytes: await readFile(join(folder, name)) })),
  );
}

/** The video that each frame, by its hash, belongs to. */
async function ownersOfFrames(folder: string, sources: readonly FuzzSource[]): Promise<Map<string, string>> {
  const owners = new Map<string, string>();
  for (const { name } of sources) {
    for (const hash of await frameMd5(join(folder, name))) {
      if ((owners.get(hash) ?? name) !== name) throw new Error(`${name} and ${owners.get(hash)} have the same frame`);
      owners.set(hash, name);
    }
  }
  return owners;
}

async function tryOne(
  number: number,
  { folder, seed, timeoutMs = 20_000 }: FuzzOptions & { seed: number },
  sources: readonly FuzzSource[],
  owners: ReadonlyMap<string, string>,
  report: FuzzReport,
): Promise<void> {
  const random = new FuzzRandom(createHash('sha256').update(`${seed}/${number}`).digest().readUInt32LE());
  const source = random.pick(sources);
  const kind = random.pick(Object.keys(mutations));
  const others = sources.filter((other) => other !== source);
  const { bytes, extension, mixedWith } = mutations[kind]!(source, others, random);
  const path = join(folder, `${number}${extension}`);
  await writeFile(path, bytes);

  const broken: string[] = [];
  const began = performance.now();
  const outcome = await read(path, random, timeoutMs).catch((error: unknown) => error);
  const elapsed = performance.now() - began;
  if (outcome instanceof Error && !(outcome instanceof VideoError)) broken.push(`untyped error: ${outcome.stack}`);
  // Header, a try with a jump, and a try without.
  if (elapsed > 3 * timeoutMs + 5000) broken.push(`took ${elapsed} ms`);
  if (kind === 'untouched' && outcome instanceof Error) broken.push(`a good video failed: ${outcome.message}`);
  if (!(outcome instanceof Error)) {
    const video = outcome as DecodedVideo;
    report.frames += video.frames;
    broken.push(...inconsistencies(video));
    const foreign = frameHashes(video).map((hash) => owners.get(hash) ?? source.name);
    const wrong = foreign.find((owner) => owner !== source.name && owner !== mixedWith?.name);
    if (wrong !== undefined) broken.push(`has a frame of ${wrong}`);
  }
  const neighbour = random.pick(others);
  if (number % 3 === 0) broken.push(...(await besideAnother(path, neighbour, { folder, timeoutMs }, owners)));
  report.slowestMs = Math.max(report.slowestMs, elapsed);
  report.outcomes[kind] ??= {};
  const counts = report.outcomes[kind];
  const name = outcomeName(outcome);
  counts[name] = (counts[name] ?? 0) + 1;
  for (const what of broken)
    report.violations.push(`number ${number}, seed ${seed} (${source.name}, ${kind}): ${what}`);
  if (broken.length === 0) await rm(path, { force: true });
}

/** One of the ways to read a video. */
async function read(path: string, random: FuzzRandom, timeoutMs: number): Promise<DecodedVideo> {
  const info = await probe(path, { timeoutMs });
  const common: DecodeOptions = { info, timeoutMs, threads: 1, truncated: random.pick(['error', 'accept']) };
  const start = random.next() * 0.7;
  switch (random.below(5)) {
    case 0:
      return decode(path, { ...common, start });
    case 1:
      return decode(path, { ...common, start, end: start + 0.2 });
    case 2:
      return decode(path, { ...common, fps: 10 + random.below(40) });
    case 3:
      return clip(path, {
        ...common,
        frames: 8,
        frame: random.below(15),
        stride: 1 + random.below(2),
        shortVideo: 'loop',
      });
    default:
      return decode(path, common);
  }
}

/** Decodes a good video with the same process as the damaged one: it must have its own frames, all of them, or none. */
async function besideAnother(
  path: string,
  { name }: FuzzSource,
  { folder, timeoutMs }: { folder: string; timeoutMs: number },
  owners: ReadonlyMap<string, string>,
): Promise<string[]> {
  const damaged = await probe(path, { timeoutMs }).catch(() => null);
  if (damaged === null) return [];
  const good = await probe(join(folder, name));
  const targets = [good, damaged].map((info, k) => ({ info, selection: {}, file: `${path}.${k}.rgb` }));
  const [times] = await decodeTogether(targets, { timeoutMs });
  const broken: string[] = [];
  if (times) {
    const { width, height } = good;
    const data = new Uint8Array(await readFile(targets[0]!.file));
    const hashes = frameHashes({ data, width, height, frames: times.length });
    const own = [...owners.values()].filter((owner) => owner === name).length;
    if (hashes.some((hash) => owners.get(hash) !== name)) broken.push(`changed frames of ${name} beside it`);
    if (new Set(hashes).size !== own) broken.push(`left out frames of ${name} beside it`);
  }
  for (const { file } of targets) await rm(file, { force: true });
  return broken;
}

function inconsistencies({ data, frames, width, height, timestamps, damage, complete }: DecodedVideo): string[] {
  const broken: string[] = [];
  if (data.length !== frames * width * height * 3) broken.push(`${data.length} bytes for ${frames} frames`);
  if (timestamps.length !== frames) broken.push(`${timestamps.length} time stamps for ${frames} frames`);
  if (!timestamps.every(Number.isFinite)) broken.push('a time stamp is no number');
  if (complete !== (damage === null)) broken.push('complete and damage contradict each other');
  return broken;
}

function outcomeName(outcome: unknown): string {
  if (outcome instanceof VideoError) return outcome.code;
  if (outcome instanceof Error) return 'untyped error';
  const { damage } = outcome as DecodedVideo;
  return damage === null ? 'complete' : `damage: ${damage.code}`;
}
