import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFile,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { decode } from './decode.js';
import { encode } from './encode.js';
import { gradientFrames, temporaryFolder, videoError } from './fixtures.test.helper.js';
import { FrameStore } from './frame-store.js';
import { buildFrameStore } from './frame-store-build.js';
import type { BuildProgress, BuildResult } from './frame-store-options.js';
import { probe } from './probe.js';
import type { KnownFile } from './store-sources.js';
import { uniqueSuffix } from './temporary-files.js';

interface Video {
  id: string;
  path: string;
}

const settings = { shortSide: 16, format: 'raw' } as const;

/** The counts of a build. */
const counts = ({ stored, reused, failed }: BuildResult) => ({ stored, reused, failed });

/** Names of all files but the journal. */
async function storedFiles(store: string): Promise<string[]> {
  return (await readdir(store)).filter((name) => name !== 'sources.jsonl');
}

const encoded = new Map<number, Promise<Buffer>>();

/** The bytes of a small video with this many frames; encoded once. */
function videoBytes(t: TestContext, frames: number): Promise<Buffer> {
  const bytes = encoded.get(frames) ?? encodeVideo(t, frames);
  encoded.set(frames, bytes);
  return bytes;
}

async function encodeVideo(t: TestContext, frames: number): Promise<Buffer> {
  const path = join(await temporaryFolder(t), 'video.mp4');
  await encode(gradientFrames(frames, 24, 32), path, { width: 32, height: 24, fps: 10 });
  return readFile(path);
}

/** Makes `count` small videos of different lengths and an empty folder for the store. */
async function makeVideos(t: TestContext, count: number): Promise<{ folder: string; store: string; videos: Video[] }> {
  const folder = await temporaryFolder(t);
  const videos: Video[] = [];
  for (let i = 0; i < count; i++) {
    const path = join(folder, `vidéo ${i}.mp4`);
    await writeFile(path, await videoBytes(t, 5 + i));
    videos.push({ id: `class/${i}`, path });
  }
  return { folder, store: join(folder, 'store'), videos };
}

async function assertHolds(store: string, videos: Video[]): Promise<void> {
  const opened = await FrameStore.open(store, videos);
  assert.deepEqual(opened.ids, videos.map(({ id }) => id).sort());
  assert.deepEqual(await opened.verify(), []);
  for (const { id, path } of videos) {
    const stored = opened.get(id)!;
    const video = await decode(path, { shortSide: settings.shortSide });
    assert.deepEqual([stored.frames, stored.height, stored.width], [video.frames, video.height, video.width], id);
    assert.deepEqual(new Uint8Array(await readFile(stored.file)), video.data, id);
    assert.deepEqual(stored.timestamps, [...video.timestamps]);
    assert.ok(Math.abs(stored.frameRate - 10) < 1e-3);
    assert.equal(stored.source, path);
  }
}

test('a store holds exactly the decoded frames; a second build reuses them all', async (t) => {
  const { store, videos } = await makeVideos(t, 3);
  const progress: BuildProgress[] = [];
  const first = await buildFrameStore(store, videos, { ...settings, onProgress: (p) => progress.push(p) });
  assert.deepEqual(counts(first), { stored: 3, reused: 0, failed: [] });
  assert.deepEqual(
    progress.map(({ phase, done, total }) => `${phase} ${done}/${total}`),
    ['check 1/3', 'check 2/3', 'check 3/3', 'decode 1/3', 'decode 2/3', 'decode 3/3'],
  );
  assert.equal(progress.at(-1)!.bytes, (5 + 6 + 7) * 16 * 21 * 3);
  await assertHolds(store, videos);
  assert.deepEqual(counts(await buildFrameStore(store, videos, settings)), { stored: 0, reused: 3, failed: [] });
});

test('broken videos are listed with their reason and change nothing for the others', async (t) => {
  const { folder, store, videos } = await makeVideos(t, 2);
  await writeFile(join(folder, 'empty.mp4'), '');
  await writeFile(join(folder, 'text.mp4'), 'no video');
  const whole = await readFile(videos[1]!.path);
  await writeFile(join(folder, 'cut.mp4'), whole.subarray(0, whole.length / 2));
  const broken = ['cut', 'empty', 'missing', 'text'].map((id) => ({ id, path: join(folder, `${id}.mp4`) }));
  const all = [broken[0]!, videos[0]!, ...broken.slice(1), videos[1]!];
  const { stored, failed } = await buildFrameStore(store, all, settings);
  assert.equal(stored, 2);
  assert.deepEqual(
    failed.map(({ id, code, path }) => [id, code, path]),
    [
      ['cut', 'truncated', broken[0]!.path],
      ['empty', 'empty-file', broken[1]!.path],
      ['missing', 'not-found', broken[2]!.path],
      ['text', 'not-a-video', broken[3]!.path],
    ],
  );
  assert.ok(failed.every(({ reason, hint }) => reason.length > 0 && hint.length > 0));
  await assertHolds(store, videos);
  await writeFile(broken[1]!.path, await videoBytes(t, 9));
  const second = await buildFrameStore(store, all, settings);
  assert.deepEqual([second.stored, second.reused, second.failed.length], [1, 2, 3], 'a repaired video is stored');
});

test('a changed video replaces its frames; one that became empty loses them', async (t) => {
  const { store, videos } = await makeVideos(t, 2);
  await buildFrameStore(store, videos, settings);
  await writeFile(videos[0]!.path, await videoBytes(t, 9));
  assert.deepEqual(counts(await buildFrameStore(store, videos, settings)), { stored: 1, reused: 1, failed: [] });
  assert.equal((await FrameStore.open(store, videos)).get('class/0')!.frames, 9);
  assert.equal((await storedFiles(store)).length, 4, 'the outdated frames are removed');
  await assertHolds(store, videos);
  await truncate(videos[0]!.path);
  await buildFrameStore(store, videos, settings);
  assert.equal((await FrameStore.open(store, videos)).get('class/0'), undefined);
});

test('a renamed, copied or merely touched video has its frames already', async (t) => {
  const { folder, store, videos } = await makeVideos(t, 2);
  await buildFrameStore(store, videos, settings);
  const renamed = { id: 'other/name', path: join(folder, 'renamed.mp4') };
  await rename(videos[0]!.path, renamed.path);
  const copy = { id: 'copy', path: join(folder, 'copy.mp4') };
  await copyFile(videos[1]!.path, copy.path);
  await utimes(videos[1]!.path, new Date(), new Date(Date.now() + 5000));
  const now = [copy, videos[1]!, renamed];
  assert.deepEqual(counts(await buildFrameStore(store, now, settings)), { stored: 0, reused: 3, failed: [] });
  await assertHolds(store, now);
  assert.equal((await storedFiles(store)).length, 4, 'a copy takes no space');
});

test('a journal with a half-written record is read and gone on with', async (t) => {
  const { store, videos } = await makeVideos(t, 2);
  await buildFrameStore(store, videos.slice(0, 1), settings);
  await appendFile(join(store, 'sources.jsonl'), '\n{"path":"/videos/a.mp4","by');
  assert.equal((await buildFrameStore(store, videos, settings)).stored, 1);
  assert.match(await readFile(join(store, 'sources.jsonl'), 'utf8'), /"by\n\{.*\}\n$/);
  await assertHolds(store, videos);
});

test('missing, shortened and altered frames are found and stored again', async (t) => {
  const { store, videos } = await makeVideos(t, 4);
  await buildFrameStore(store, videos, settings);
  const opened = await FrameStore.open(store, videos);
  const file = (i: number): string => opened.get(`class/${i}`)!.file;
  await rm(file(0));
  await truncate(file(1), 100);
  const altered = await readFile(file(2));
  altered[500]! ^= 1;
  await writeFile(file(2), altered);
  const damaged = await opened.verify();
  assert.deepEqual(
    damaged.map(({ id, reason }) => [id, reason.split(' ').slice(0, 4).join(' ')]),
    [
      ['class/0', 'The frames are missing.'],
      ['class/1', 'The frames have 100'],
      ['class/2', 'The frames have changed'],
    ],
  );
  assert.deepEqual(counts(await buildFrameStore(store, videos, settings)), { stored: 2, reused: 2, failed: [] });
  const thorough = await buildFrameStore(store, videos, { ...settings, verify: 'checksum' });
  assert.deepEqual(counts(thorough), { stored: 1, reused: 3, failed: [] });
  await writeFile(file(3).replace('.rgb', '.json'), '{"format":');
  assert.equal((await buildFrameStore(store, videos, settings)).stored, 1, 'a damaged entry is built again');
  await assertHolds(store, videos);
});

test('several settings can share a folder, but must be told apart', async (t) => {
  const { store, videos } = await makeVideos(t, 1);
  await buildFrameStore(store, videos, settings);
  await buildFrameStore(store, videos, { shortSide: 8, fps: 5, maxFrames: 2, format: 'raw' });
  await assert.rejects(FrameStore.open(store, videos), videoError('ambiguous-store', /16.*8|8.*16/));
  const small = (await FrameStore.open(store, videos, { shortSide: 8 })).get('class/0')!;
  assert.deepEqual([small.frames, small.height, small.frameRate], [2, 8, 5]);
  assert.equal((await FrameStore.open(store, videos, { shortSide: 16, fps: null })).get('class/0')!.frames, 5);
  await assert.rejects(FrameStore.open(join(store, 'no'), videos), videoError('not-found'));
});

test('a build that was killed leaves nothing wrong behind and is completed by the next', async (t) => {
  const { store, videos } = await makeVideos(t, 6);
  const code = `
    import { buildFrameStore } from ${JSON.stringify(new URL('./frame-store-build.js', import.meta.url).href)};
    const onProgress = ({ phase, done }) => {
      if (phase === 'decode' && done === 3) process.kill(process.pid, 'SIGKILL');
    };
    await buildFrameStore(${JSON.stringify(store)}, ${JSON.stringify(videos)}, { shortSide: 16, format: 'raw', concurrency: 2, onProgress });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
  const signal = await new Promise((resolve) => child.once('close', (_, killedBy) => resolve(killedBy)));
  assert.equal(signal, 'SIGKILL');
  const left = `${'0'.repeat(32)}.rgb.${ownHost()}-${child.pid}-0123456789ab.tmp`;
  await writeFile(join(store, left), 'half a video');
  const partly = await FrameStore.open(store, videos);
  assert.ok(partly.ids.length >= 3 && partly.ids.length < 6, `${partly.ids}`);
  assert.deepEqual(await partly.verify(), []);
  const { stored, reused, failed } = await buildFrameStore(store, videos, settings);
  assert.deepEqual([stored + reused, reused, failed.length], [6, partly.ids.length, 0]);
  await assertHolds(store, videos);
  assert.deepEqual(
    (await readdir(store)).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

/** The part of a temporary file's name that stands for this machine. */
function ownHost(): string {
  return uniqueSuffix().split('-')[0]!;
}

test('temporary files of running processes and of other machines stay', async (t) => {
  const { store, videos } = await makeVideos(t, 1);
  await mkdir(store);
  const others = [`a.rgb.${ownHost()}-${process.pid}-0123456789ab.tmp`, 'a.rgb.00000000-1-0123456789ab.tmp'];
  for (const name of others) await writeFile(join(store, name), 'in work');
  await buildFrameStore(store, videos, settings);
  const left = (await readdir(store)).filter((name) => name.endsWith('.tmp')).sort();
  assert.deepEqual(left, others.sort());
});

test('two builds at once give one intact store', async (t) => {
  const { store, videos } = await makeVideos(t, 5);
  const results = await Promise.all([
    buildFrameStore(store, videos, settings),
    buildFrameStore(store, [...videos].reverse(), settings),
  ]);
  for (const { stored, reused, failed } of results) assert.deepEqual([stored + reused, failed], [5, []]);
  await assertHolds(store, videos);
  assert.equal((await storedFiles(store)).length, 10);
});

test('an abort stops the build and keeps what is stored', async (t) => {
  const { store, videos } = await makeVideos(t, 4);
  const controller = new AbortController();
  const onProgress = ({ phase }: BuildProgress): void => {
    if (phase === 'decode') controller.abort();
  };
  const build = buildFrameStore(store, videos, { ...settings, concurrency: 1, signal: controller.signal, onProgress });
  await assert.rejects(build, videoError('aborted'));
  assert.equal((await FrameStore.open(store, videos)).ids.length, 1);
  assert.equal((await storedFiles(store)).length, 2);
});

test('a build that would fill the disk is refused before it starts', async (t) => {
  const { store, videos } = await makeVideos(t, 1);
  const build = buildFrameStore(store, videos, { ...settings, reserveBytes: Number.MAX_SAFE_INTEGER });
  await assert.rejects(build, videoError('disk-full', /1 videos need/));
  assert.deepEqual(await storedFiles(store), []);
});

test('mistakes of the caller are named', async (t) => {
  const { folder, store, videos } = await makeVideos(t, 1);
  const twice = buildFrameStore(store, [...videos, ...videos], settings);
  await assert.rejects(twice, videoError('invalid-argument', /"class\/0" is used for two/));
  await assert.rejects(buildFrameStore(store, videos, { shortSide: 0.5 }), videoError('invalid-argument', /shortSide/));
  const file = join(folder, 'file');
  await appendFile(file, 'a file where a folder should be');
  await assert.rejects(buildFrameStore(file, videos, settings), videoError('unwritable'));
});

test('what is known of a file from elsewhere is believed as long as its size and time are the same', async (t) => {
  const { store, videos } = await makeVideos(t, 2);
  const known = new Map<string, KnownFile>();
  for (const { path } of videos) {
    const { size: bytes, mtimeMs: modifiedMs } = await stat(path);
    // Neither reading nor probing would say that.
    const sha256 = (path === videos[0]!.path ? 'a' : 'b').repeat(64);
    known.set(path, { bytes, modifiedMs, sha256, info: { ...(await probe(path)), frameRate: 5 } });
  }
  await utimes(videos[1]!.path, 1, 1);
  const opened = (await buildFrameStore(store, videos, { ...settings, known: (path) => known.get(path) ?? null }))
    .store;
  const sources = await readFile(join(store, 'sources.jsonl'), 'utf8');
  assert.match(sources, /a{64}/);
  assert.doesNotMatch(sources, /b{64}/, 'changed since');
  const [first, second] = videos.map(({ id }) => opened.get(id)!);
  assert.deepEqual([first!.frames, second!.frames], [5, 6]);
});
