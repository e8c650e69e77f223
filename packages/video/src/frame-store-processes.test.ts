import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { encode } from './encode.js';
import { ffmpeg, testPicture } from './fixtures.test.helper.js';
import { FrameStore } from './frame-store.js';
import { buildFrameStore } from './frame-store-build.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-processes-'));
after(() => rmSync(folder, { recursive: true }));

const count = 4;
const videos = Array.from({ length: count }, (_, k) => ({ id: `${k}`, path: join(folder, `${k}.mp4`) }));
const formats = ['raw', 'jpeg'] as const;
const moduleUrl = JSON.stringify(new URL('./frame-store-build.js', import.meta.url).href);
/** Every file of a store that was built without disturbance. */
let undisturbed: Map<string, string>;

before(async () => {
  const outputs = videos.flatMap(({ path }, k) => ['-frames:v', `${20 + k}`, path]);
  await ffmpeg(...testPicture({ width: 96, height: 72, frames: 60 }), ...outputs);
  const store = join(folder, 'undisturbed');
  for (const format of formats) await buildFrameStore(store, videos, { shortSide: 64, format });
  undisturbed = await contents(store);
  assert.equal(undisturbed.size, 4 * count);
});

/** The files of a store but for its journal, whose order is not fixed. */
async function contents(store: string): Promise<Map<string, string>> {
  const names = (await readdir(store)).filter((name) => name !== 'sources.jsonl').sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(join(store, name), 'hex')] as const)),
  );
}

/** Starts a process that builds the store in both formats. */
function startBuild(store: string): ChildProcess {
  const options = '{ shortSide: 64, concurrency: 2, format }';
  const code = `
    import { buildFrameStore } from ${moduleUrl};
    for (const format of ${JSON.stringify(formats)}) {
      await buildFrameStore(${JSON.stringify(store)}, ${JSON.stringify(videos)}, ${options});
    }`;
  return spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function end(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => child.once('close', (code, signal) => resolve(`${signal ?? code}`)));
}

test('killed at random instants and started again, a store ends the same, byte for byte', async () => {
  const store = join(folder, 'killed');
  const started = performance.now();
  await end(startBuild(join(folder, 'timed')));
  const wholeBuild = performance.now() - started;
  let kills = 0;
  for (let attempt = 0; attempt < 4; attempt++) {
    const child = startBuild(store);
    const ended = end(child);
    await Promise.race([sleep(wholeBuild * (0.2 + 0.6 * Math.random()), undefined, { ref: false }), ended]);
    child.kill('SIGKILL');
    if ((await ended) === 'SIGKILL') kills += 1;
    await mkdir(store, { recursive: true });
    for (const format of formats) {
      const partly = await FrameStore.open(store, videos, { format });
      assert.deepEqual(await partly.verify(), [], 'what a killed build shows is whole');
    }
  }
  assert.ok(kills > 0);
  assert.equal(await end(startBuild(store)), '0');
  assert.deepEqual(await contents(store), undisturbed);
});

test('two processes that build one store at the same time leave the same store', async () => {
  const store = join(folder, 'shared');
  const ends = await Promise.all([startBuild(store), startBuild(store)].map(end));
  assert.deepEqual(ends, ['0', '0']);
  assert.deepEqual(await contents(store), undisturbed);
});

test('a disk that fills up ends the build; what is stored stays usable, and with more space it is completed', async (t) => {
  const noise = join(folder, 'noise.mkv');
  function* frames() {
    for (let k = 0; k < 24; k++) yield Uint8Array.from({ length: 96 * 96 * 3 }, () => 256 * Math.random());
  }
  await encode(frames(), noise, { width: 96, height: 96, fps: 10 });
  const disk = join(folder, 'disk');
  await mkdir(disk);
  const grey = { id: 'grey', path: join(folder, 'grey.mp4') };
  await ffmpeg('-f', 'lavfi', '-i', 'color=gray:size=64x64:rate=10:duration=0.5', grey.path);
  // Pictures of noise are larger than estimated, so this is only found while writing.
  const code = `
    import { execFileSync } from 'node:child_process';
    import { readdirSync } from 'node:fs';
    import { buildFrameStore } from ${moduleUrl};
    const [disk, grey, noise] = process.argv.slice(1);
    const build = (...paths) => buildFrameStore(disk, paths.map((path) => ({ id: path, path })),
      { shortSide: 96, format: 'jpeg', reserveBytes: 1 });
    await build(grey);
    await build(grey, noise).catch(({ code }) => console.log(code));
    console.log(readdirSync(disk).filter((name) => name.endsWith('.tmp')).length, 'unfinished');
    const { store } = await build(grey);
    console.log(store.ids.length, 'usable', (await store.verify()).length, 'damaged');
    execFileSync('mount', ['-o', 'remount,size=4m', disk]);
    const { stored, reused } = await build(grey, noise);
    console.log(stored, 'stored', reused, 'reused');`;
  const shell = 'mount -t tmpfs -o size=160k none "$1" && exec "$2" --input-type=module -e "$3" "$1" "$4" "$5"';
  const isolated = ['--user', '--map-root-user', '--mount', 'sh', '-c', shell, 'sh'];
  const result = await promisify(execFile)('unshare', [
    ...isolated,
    ...[disk, process.execPath, code, grey.path, noise],
  ]).catch((error: Error) => error);
  if (result instanceof Error) t.skip(`cannot mount a small disk here: ${result.message.split('\n')[1]}`);
  else assert.equal(result.stdout, 'disk-full\n0 unfinished\n1 usable 0 damaged\n1 stored 1 reused\n');
});
