import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { type DecodedVideo, decode, frames } from './decode.js';
import { encode } from './encode.js';
import { VideoError } from './errors.js';
import { findFfmpeg } from './ffmpeg.js';
import {
  ffmpeg,
  frameHashes,
  gradientFrames,
  temporaryFolder,
  testPicture,
  videoError,
} from './fixtures.test.helper.js';
import { probeWithPackets } from './packets.js';
import { probe } from './probe.js';

const run = promisify(execFile);
const size = { width: 16, height: 16, fps: 10 };
const indexFirst = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-g', '5', '-movflags', '+faststart'];

/** Code that tries an operation in another process and prints the code of its VideoError. */
function printErrorCode(operation: string): string {
  const package_ = JSON.stringify(new URL('./index.js', import.meta.url).href);
  return `import(${package_}).then(({ probe, encode }) => ${operation}).then(() => 'no error', (e) => e.code ?? e)
    .then((code) => console.log(code))`;
}

test('a file or folder that this user may not use is named', { skip: process.platform === 'win32' }, async (t) => {
  const folder = await temporaryFolder(t);
  const secret = join(folder, 'secret.mp4');
  const locked = join(folder, 'locked');
  await encode(gradientFrames(1, 16, 16), secret, size);
  await mkdir(locked);
  await chmod(folder, 0o755);
  await chmod(secret, 0o000);
  await chmod(locked, 0o555);
  const target = JSON.stringify(join(locked, 'a.mp4'));
  const pixels = `encode(new Uint8Array(768), ${target}, { width: 16, height: 16, fps: 1 })`;
  // The administrator may read everything, so another user tries.
  const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  for (const [operation, code] of [
    [`probe(${JSON.stringify(secret)})`, 'unreadable'],
    [pixels, 'unwritable'],
  ] as const) {
    const { stdout } = await run(process.execPath, ['-e', printErrorCode(operation)], { ...user, cwd: '/' });
    assert.equal(stdout.trim(), code);
  }
});

test('a full disk is named while frames are written, and leaves no file', async (t) => {
  const folder = await temporaryFolder(t);
  const script = `
    const { readdirSync } = require('node:fs');
    const { randomBytes } = require('node:crypto');
    function* noise() { for (let i = 0; i < 40; i++) yield randomBytes(64 * 64 * 3); }
    const target = ${JSON.stringify(join(folder, 'a.mkv'))};
    ${printErrorCode('encode(noise(), target, { width: 64, height: 64, fps: 10 })')}
      .then(() => console.log(readdirSync(${JSON.stringify(folder)}).join()));`;
  const shell = 'mount -t tmpfs -o size=64k none "$1" && exec "$2" -e "$3"';
  const isolated = ['--user', '--map-root-user', '--mount', 'sh', '-c', shell, 'sh', folder, process.execPath, script];
  const result = await run('unshare', isolated).catch((error: Error) => error);
  if (result instanceof Error) t.skip(`cannot mount a small disk here: ${result.message.split('\n')[1]}`);
  else assert.equal(result.stdout, 'disk-full\n\n');
});

async function shortVideo(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await ffmpeg(...testPicture({ width: 160, height: 120, frames: 50 }), ...indexFirst, `file:${path}`);
  return path;
}

test('a header without a decodable frame is undecodable, one without its index is truncated', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await shortVideo(folder, 'a.mp4');
  const bytes = await readFile(path);
  bytes.fill(0xff, bytes.indexOf('mdat') + 4);
  await writeFile(path, bytes);
  await assert.rejects(decode(path), videoError('undecodable', /Not a single frame/));
  const noIndex = join(folder, 'b.mp4');
  await ffmpeg(...testPicture(), '-c:v', 'mpeg4', noIndex);
  await truncate(noIndex, (await readFile(noIndex)).indexOf('moov'));
  await assert.rejects(decode(noIndex), videoError('truncated', /index.*missing/));
});

test('an MP4 that ends inside its index is truncated wherever it was cut, or usable', async (t) => {
  const folder = await temporaryFolder(t);
  const atTheStart = await shortVideo(folder, 'start.mp4');
  const atTheEnd = join(folder, 'end.mp4');
  await ffmpeg(...testPicture({ width: 160, height: 120, frames: 50 }), '-c:v', 'mpeg4', atTheEnd);
  for (const path of [atTheStart, atTheEnd]) {
    const bytes = await readFile(path);
    const index = bytes.indexOf('moov') - 4;
    for (const share of [0.01, 0.2, 0.5, 0.8, 0.97]) {
      const cut = join(folder, 'cut.mp4');
      await writeFile(cut, bytes.subarray(0, index + 8 + Math.floor(share * bytes.readUInt32BE(index))));
      const outcome = await decode(cut).catch((error: unknown) => error);
      if (outcome instanceof VideoError) assert.match(`${outcome.code}: ${outcome.reason}`, /^truncated: /);
      else assert.equal((outcome as DecodedVideo).frames, 50);
      if (share < 0.9) await assert.rejects(probeWithPackets(cut), videoError('truncated', /inside its index/));
    }
  }
});

test('damage in the middle: good frames before it stay good, and the record says where it begins', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await shortVideo(folder, 'a.mp4');
  const whole = await decode(path);
  const bytes = await readFile(path);
  const media = bytes.indexOf('mdat') + 4;
  const hit = media + Math.floor((bytes.length - media) * 0.6);
  bytes.fill(0, hit, hit + 2000);
  await writeFile(path, bytes);
  const damaged = await decode(path, { truncated: 'accept' });
  const { damage } = damaged;
  assert.ok(damage !== null && !damaged.complete);
  assert.ok(damage.position.frame >= 10 && damage.position.frame < 45, `${damage.position.frame}`);
  assert.ok(Math.abs(damage.position.seconds - damage.position.frame / 25) < 0.2, `${damage.position.seconds}`);
  assert.deepEqual(frameHashes(damaged).slice(0, 20), frameHashes(whole).slice(0, 20));
});

test('a truncated video gives its frames, then an error with the place where it ends', async (t) => {
  const folder = await temporaryFolder(t);
  const path = await shortVideo(folder, 'a.mp4');
  const whole = await decode(path);
  await truncate(path, Math.floor((await readFile(path)).length * 0.6));
  let delivered = 0;
  const reading = (async () => {
    for await (const _ of frames(path)) delivered += 1;
  })();
  const error = await reading.catch((error: unknown) => error);
  assert.ok(error instanceof VideoError && error.code === 'truncated', `${error}`);
  assert.equal(error.position?.frame, delivered);
  assert.ok(Math.abs(error.position!.seconds - delivered / 25) < 0.09, `${error.position!.seconds}`);
  const accepted: DecodedVideo = await decode(path, { truncated: 'accept' });
  assert.deepEqual([accepted.damage?.code, accepted.frames], ['truncated', delivered]);
  const good = accepted.damage!.position.frame;
  assert.deepEqual(frameHashes(accepted).slice(0, good - 3), frameHashes(whole).slice(0, good - 3));
  assert.equal((await decode(path, { end: 0.4 })).damage, null, 'the wanted part is there');
  await assert.rejects(decode(path, { start: 1.8 }), videoError('truncated'));
});

test('an abort or an error in mid-stream says how far decoding came', async (t) => {
  const path = await shortVideo(await temporaryFolder(t), 'a.mp4');
  const controller = new AbortController();
  const reading = (async () => {
    for await (const { index } of frames(path, { signal: controller.signal, size: { width: 1280, height: 960 } })) {
      if (index === 4) controller.abort();
    }
  })();
  const error = await reading.catch((error: unknown) => error);
  assert.ok(error instanceof VideoError && error.code === 'aborted', `${error}`);
  assert.ok(error.position !== null && error.position.frame >= 5, `${error.position?.frame}`);
});

test('lists of other files are refused: their frames are another video', async (t) => {
  const folder = await temporaryFolder(t);
  await encode(gradientFrames(3, 16, 16), join(folder, 'other.mp4'), size);
  await ffmpeg('-i', join(folder, 'other.mp4'), join(folder, 'still%d.png'));
  await copyFile(join(folder, 'still1.png'), join(folder, 'still%d.png'));
  await writeFile(join(folder, 'concat.mp4'), 'ffconcat version 1.0\nfile other.mp4\n');
  const segment = '#EXTINF:1,\nother.mp4\n';
  await writeFile(join(folder, 'list.mp4'), `#EXTM3U\n#EXT-X-TARGETDURATION:1\n${segment}#EXT-X-ENDLIST\n`);
  for (const name of ['concat.mp4', 'list.mp4', 'still%d.png']) {
    await assert.rejects(decode(join(folder, name)), videoError('not-a-video', /list of other files/), name);
  }
});

test('names that look like protocols, patterns or options are names of files', async (t) => {
  const folder = await temporaryFolder(t);
  const video = join(folder, 'a.mp4');
  await encode(gradientFrames(3, 16, 16), video, size);
  const names = [
    'concat:b.mp4|c.mp4',
    'data:video;base64,AAAA',
    'pipe:0',
    '%03d.mp4',
    '*.mp4',
    '-',
    'line\nbreak.mp4',
    '"\'\\.mp4',
  ];
  for (const name of process.platform === 'win32' ? [] : names) {
    const path = join(folder, name);
    await copyFile(video, path);
    assert.equal((await probe(path)).path, path);
    assert.equal((await decode(path)).frames, 3, name);
  }
  for (const name of ['http://127.0.0.1:9/a.mp4', 'rtmp://127.0.0.1/a', 'lavfi:testsrc', 'tcp://127.0.0.1:9']) {
    await assert.rejects(decode(name, { timeoutMs: 5000 }), videoError('not-found'), name);
  }
});

test('an FFmpeg that crashes, hangs or prints nonsense on a file is an error about the file', {
  skip: process.platform === 'win32',
}, async (t) => {
  const real = await findFfmpeg();
  const folder = await temporaryFolder(t);
  const video = join(folder, 'a.mp4');
  await encode(gradientFrames(3, 16, 16), video, size);
  const info = await probe(video);
  const before = process.env.CHRONOTOPE_FFMPEG;
  t.after(() => {
    if (before === undefined) delete process.env.CHRONOTOPE_FFMPEG;
    else process.env.CHRONOTOPE_FFMPEG = before;
  });
  const fake = async (name: string, what: string): Promise<void> => {
    const place = join(folder, name);
    await mkdir(place);
    await symlink(real.ffprobe, join(place, 'ffprobe'));
    await writeFile(join(place, 'ffmpeg'), `#!/bin/sh\n[ "$1" = -version ] && exec ${real.ffmpeg} -version\n${what}\n`);
    await chmod(join(place, 'ffmpeg'), 0o755);
    process.env.CHRONOTOPE_FFMPEG = place;
  };
  await fake('crashes', 'kill -SEGV $$');
  await assert.rejects(decode(video, { info }), videoError('undecodable', /crashed.*SIGSEGV/));
  await fake('hangs', 'exec sleep 60');
  await assert.rejects(decode(video, { info, timeoutMs: 300 }), videoError('timeout', /0\.3 s/));
  await fake('nonsense', 'echo nonsense');
  await assert.rejects(decode(video, { info }), videoError('undecodable', /Not a single frame/));
});
