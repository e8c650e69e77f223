import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { findFfmpeg } from './ffmpeg.js';
import { ffmpeg, makeVideos, temporaryFolder, testPicture, videoError } from './fixtures.test.helper.js';
import { probeWithPackets } from './packets.js';
import { probe } from './probe.js';
import { askProber, proberIsUsable } from './prober.js';
import { indexedStructures, otherStructures } from './structures.test.helper.js';

const isUsable = await proberIsUsable();
const options = { skip: isUsable ? false : 'the prober was not built: no headers of FFmpeg' };
const limits = { timeoutMs: 60_000 };

/** From here on FFmpeg says it were another version, with which the prober is not asked. */
async function withoutProber<Result>(t: TestContext, work: () => Promise<Result>): Promise<Result> {
  const folder = await temporaryFolder(t);
  const real = await findFfmpeg();
  const other = `#!/bin/sh\n[ "$1" = -version ] && echo "ffmpeg version ${real.version}-elsewhere" || exec ${real.ffmpeg} "$@"\n`;
  await writeFile(join(folder, 'ffmpeg'), other);
  await chmod(join(folder, 'ffmpeg'), 0o755);
  await symlink(real.ffprobe, join(folder, 'ffprobe'));
  const before = process.env.CHRONOTOPE_FFMPEG;
  process.env.CHRONOTOPE_FFMPEG = folder;
  try {
    assert.equal(await proberIsUsable(), false);
    return await work();
  } finally {
    if (before === undefined) delete process.env.CHRONOTOPE_FFMPEG;
    else process.env.CHRONOTOPE_FFMPEG = before;
  }
}

/** The same facts from the prober, where it answers, and from ffprobe. */
async function assertSameFacts(t: TestContext, paths: readonly string[]): Promise<void> {
  const facts = async () => {
    const all = [];
    for (const path of paths) all.push({ header: await probe(path), ...(await probeWithPackets(path)) });
    return all;
  };
  assert.deepEqual(await facts(), await withoutProber(t, facts));
}

test('headers and packets are those of ffprobe, whatever the container and codec', options, async (t) => {
  const folder = await temporaryFolder(t);
  const names = await makeVideos(folder, [...indexedStructures, ...otherStructures], { frames: 40 });
  const paths = names.map((name) => join(folder, name));
  for (const path of paths) assert.equal(await askProber('packets', path, limits, () => {}), true, path);
  await assertSameFacts(t, paths);
});

test('rotation, wide pixels, sound, covers and stated lengths too', options, async (t) => {
  const folder = await temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  const coder = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
  const picture = testPicture({ frames: 20 });
  await ffmpeg(...picture, ...coder, at('plain.mp4'));
  await ffmpeg('-display_rotation:v:0', '90', '-i', at('plain.mp4'), '-c', 'copy', at('turned.mp4')).catch(() =>
    ffmpeg('-i', at('plain.mp4'), '-c', 'copy', '-metadata:s:v', 'rotate=90', at('turned.mp4')),
  );
  await ffmpeg(...picture, '-vf', 'setsar=4/3', ...coder, at('wide.mkv'));
  const sound = ['-f', 'lavfi', '-i', 'sine=duration=2'];
  await ffmpeg(...picture, ...sound, ...coder, '-c:a', 'aac', at('sound.mp4'));
  await ffmpeg('-i', at('sound.mp4'), '-c', 'copy', at('sound.mkv'));
  await ffmpeg(...picture, '-frames:v', '1', at('cover.png'));
  const cover = ['-map', '1', '-map', '0', '-c', 'copy', '-disposition:v:0', 'attached_pic'];
  await ffmpeg('-i', at('sound.mp4'), '-i', at('cover.png'), ...cover, at('cover.mp4'));
  await ffmpeg('-ss', '0.3', '-i', at('plain.mp4'), '-c', 'copy', at('edit list.mp4'));
  const names = ['plain.mp4', 'turned.mp4', 'wide.mkv', 'sound.mp4', 'sound.mkv', 'cover.mp4', 'edit list.mp4'];
  await assertSameFacts(t, names.map(at));
});

test('paths may hold spaces, quotes, line breaks and any script', options, async (t) => {
  const folder = await temporaryFolder(t);
  const plain = join(folder, 'a.mp4');
  await ffmpeg(...testPicture({ frames: 10 }), '-c:v', 'mpeg4', plain);
  for (const name of [' 5 packets 3\n"é"\\.mp4', '動画 \u2028 d.mp4', '-i.mp4']) {
    await copyFile(plain, join(folder, name));
    assert.equal(await askProber('header', join(folder, name), limits, () => {}), true, name);
    assert.equal((await probe(join(folder, name))).frameCount, 10);
  }
});

test('a broken file is for ffprobe to explain, and the next one is answered', options, async (t) => {
  const folder = await temporaryFolder(t);
  const [good, text, cut] = ['a.mp4', 'text.mp4', 'cut.mp4'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await ffmpeg(...testPicture({ frames: 50 }), '-c:v', 'mpeg4', good);
  await writeFile(text, 'no video');
  await copyFile(good, cut);
  await truncate(cut, Math.round((await readFile(good)).length * 0.6));
  for (const [path, code] of [
    [text, 'not-a-video'],
    [cut, 'truncated'],
  ] as const) {
    assert.equal(await askProber('header', path, limits, () => {}), false);
    await assert.rejects(probe(path), videoError(code));
    assert.equal(await askProber('header', good, limits, () => {}), true);
  }
});

test('the time limit and an abort end it, and it is there again', options, async (t) => {
  const folder = await temporaryFolder(t);
  const [path, endless] = [join(folder, 'a.mp4'), join(folder, 'nobody writes this pipe.mp4')];
  await ffmpeg(...testPicture({ frames: 10 }), '-c:v', 'mpeg4', path);
  await promisify(execFile)('mkfifo', [endless]);
  const ask = (given: Parameters<typeof askProber>[2]) => askProber('packets', endless, given, () => {});
  await assert.rejects(ask({ timeoutMs: 50 }), videoError('timeout', /within 0.05 s/));
  await assert.rejects(ask({ ...limits, signal: AbortSignal.abort() }), videoError('aborted'));
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 50);
  await assert.rejects(ask({ ...limits, signal: abort.signal }), videoError('aborted'));
  assert.equal(await askProber('packets', path, limits, () => {}), true);
});

test('one that waits for a file does not outlive this process', {
  skip: options.skip || (!existsSync('/proc/self/environ') && 'needs /proc to look for processes'),
}, async (t) => {
  const folder = await temporaryFolder(t);
  const endless = join(folder, 'nobody writes this pipe.mp4');
  await promisify(execFile)('mkfifo', [endless]);
  const imports = Object.entries({
    askProber: './prober.js',
    proberIsUsable: './prober.js',
    liveChildCount: './children.js',
  }).map(([name, file]) => `import { ${name} } from ${JSON.stringify(new URL(file, import.meta.url).href)};`);
  const work = `
    await proberIsUsable();
    askProber('header', ${JSON.stringify(endless)}, { timeoutMs: 60_000 }, () => {});
    setInterval(() => liveChildCount() === 1 && process.exit(7), 20);`;
  const environment = { ...process.env, PROBER_TEST: folder };
  const args = ['--input-type=module', '-e', [...imports, work].join('\n')];
  const parent = spawn(process.execPath, args, { stdio: 'inherit', env: environment });
  assert.equal(await new Promise((resolve) => parent.once('exit', resolve)), 7, 'the prober was at work');
  for (let k = 0; k < 100 && (await processesOf(folder)) > 0; k++) await new Promise((next) => setTimeout(next, 20));
  assert.equal(await processesOf(folder), 0);
});

/** Number of processes with this in their environment. */
async function processesOf(mark: string): Promise<number> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = ids.map((id) => readFile(`/proc/${id}/environ`, 'utf8').catch(() => ''));
  return (await Promise.all(found)).filter((environment) => environment.includes(`PROBER_TEST=${mark}`)).length;
}
