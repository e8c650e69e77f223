import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { test } from 'node:test';
import { decode } from './decode.js';
import type { FrameSelection } from './decode-plan.js';
import { decodeSmallVideos, decodeTogether } from './decode-together.js';
import { makeVideos, temporaryFolder, type VideoRecipe, videoError } from './fixtures.test.helper.js';
import { buildFrameStore } from './frame-store-build.js';
import { FuzzRandom, mutations } from './fuzz-mutations.test.helper.js';
import { probe } from './probe.js';

const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
const recipes: VideoRecipe[] = [
  ['first.mp4', [...x264, '-g', '6', '-bf', '2', '-movflags', '+faststart']],
  ['last.mp4', ['-vf', 'hue=h=60', ...x264]],
  ['matroska.mkv', ['-vf', 'hue=h=120', ...x264, '-bf', '2']],
  ['variable.mkv', ['-vf', 'hue=h=180,select=not(eq(mod(n\\,5)\\,3))', ...x264]],
  ['mpeg4.avi', ['-vf', 'hue=h=240', '-c:v', 'mpeg4', '-g', '6']],
  ['broadcast.ts', ['-vf', 'hue=h=300', '-c:v', 'mpeg2video', '-g', '6']],
  ['animation.gif', []],
];
const limits = { timeoutMs: 60_000 };

test('several videos decoded by one process have the frames and times that each has alone, in any size at once', async (t) => {
  const folder = await temporaryFolder(t);
  const paths = (await makeVideos(folder, recipes, { frames: 12 })).map((name) => join(folder, name));
  const infos = await Promise.all(paths.map((path) => probe(path)));
  const selections: FrameSelection[] = [{ shortSide: 16 }, { shortSide: 12, maxFrames: 5 }, { shortSide: 16, fps: 10 }];
  const targets = selections.flatMap((selection, i) =>
    infos.map((info) => ({ info, selection, file: `${info.path}.${i}.rgb` })),
  );
  const times = await decodeTogether(targets, limits);
  for (const [k, { info, selection, file }] of targets.entries()) {
    const alone = await decode(info.path, { ...selection, info });
    assert.ok(alone.complete);
    assert.deepEqual(times[k], [...alone.timestamps], file);
    assert.deepEqual(new Uint8Array(await readFile(file)), alone.data, file);
  }
  const small = await decodeSmallVideos(infos, { shortSide: 16 });
  const first = await decode(paths[0]!, { shortSide: 16 });
  assert.deepEqual(new Uint8Array(small[0]!.data), first.data);
  assert.deepEqual(
    small.map((video) => video?.timestamps),
    times.slice(0, infos.length),
  );
});

test('a store built with broken videos among the others is the one built of each video alone', async (t) => {
  const folder = await temporaryFolder(t);
  const names = await makeVideos(folder, recipes, { frames: 12 });
  const sources = await Promise.all(
    names.map(async (name) => ({ name, extension: extname(name), bytes: await readFile(join(folder, name)) })),
  );
  const videos = names.map((name) => ({ id: name, path: join(folder, name) }));
  const random = new FuzzRandom(7);
  for (const kind of Object.keys(mutations)) {
    const source = random.pick(sources);
    const others = sources.filter((other) => other !== source);
    const { bytes, extension } = mutations[kind]!(source, others, random);
    const path = join(folder, `${kind}${extension}`);
    await writeFile(path, bytes);
    videos.push({ id: kind, path });
  }
  const settings = { shortSide: 16, format: 'raw' } as const;
  const [together, alone] = [join(folder, 'together'), join(folder, 'alone')];
  const built = await buildFrameStore(together, videos, { ...settings, concurrency: 1 });
  const failed = [];
  for (const video of videos) failed.push(...(await buildFrameStore(alone, [video], settings)).failed);
  assert.deepEqual(
    built.failed,
    failed.sort((a, b) => (a.id < b.id ? -1 : 1)),
  );
  assert.ok(failed.length >= 3 && built.stored >= names.length, `${failed.length} failed, ${built.stored} stored`);
  assert.deepEqual(await contents(together), await contents(alone));
});

test('an abort ends the process', async (t) => {
  const folder = await temporaryFolder(t);
  const [name] = await makeVideos(folder, recipes.slice(0, 1), { frames: 12 });
  const target = { info: await probe(join(folder, name!)), selection: {}, file: join(folder, 'frames.rgb') };
  const signal = AbortSignal.abort();
  await assert.rejects(decodeTogether([target, target], { ...limits, signal }), videoError('aborted'));
});

/** The files of a store but for the journal, as text. */
async function contents(store: string): Promise<Map<string, string>> {
  const files = (await readdir(store)).filter((name) => name !== 'sources.jsonl').sort();
  return new Map(
    await Promise.all(files.map(async (name) => [name, await readFile(join(store, name), 'base64')] as const)),
  );
}
