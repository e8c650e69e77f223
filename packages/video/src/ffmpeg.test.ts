import assert from 'node:assert/strict';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findFfmpeg, listDecoders, passthroughArguments } from './ffmpeg.js';
import { temporaryFolder, videoError } from './fixtures.test.helper.js';

const before = { PATH: process.env.PATH, CHRONOTOPE_FFMPEG: process.env.CHRONOTOPE_FFMPEG };

function setEnvironment(t: TestContext, variables: { PATH?: string; CHRONOTOPE_FFMPEG?: string }): void {
  const apply = (values: typeof variables): void => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  apply(variables);
  t.after(() => apply(before));
}

test('the programs are found once', async () => {
  const programs = await findFfmpeg();
  assert.match(programs.ffprobe, /ffprobe/);
  assert.match(programs.version, /\d/);
  assert.equal(await findFfmpeg(), programs);
});

test('its video decoders are listed by name, and no heading or audio among them', async () => {
  const decoders = await listDecoders();
  for (const name of ['mjpeg', 'rawvideo']) assert.ok(decoders.has(name), name);
  for (const name of ['Video', 'aac', '']) assert.ok(!decoders.has(name), name);
});

test('without FFmpeg the error says how to install it', async (t) => {
  setEnvironment(t, { PATH: await temporaryFolder(t), CHRONOTOPE_FFMPEG: undefined });
  await assert.rejects(findFfmpeg(), (error: Error & { hint: string }) => {
    assert.match(error.hint, /CHRONOTOPE_FFMPEG/);
    if (process.platform === 'linux') assert.match(error.hint, /apt-get install ffmpeg/);
    return videoError('ffmpeg-missing', /not found/)(error);
  });
});

test('CHRONOTOPE_FFMPEG names the program or its folder, and a wrong one is an error', async (t) => {
  const real = await findFfmpeg();
  const folder = await temporaryFolder(t);
  await symlink(real.ffmpeg, join(folder, 'ffmpeg'));
  await symlink(real.ffprobe, join(folder, 'ffprobe'));
  for (const configured of [folder, join(folder, 'ffmpeg')]) {
    setEnvironment(t, { PATH: '', CHRONOTOPE_FFMPEG: configured });
    const { ffmpeg, ffprobe } = await findFfmpeg();
    assert.deepEqual([ffmpeg, ffprobe], [join(folder, 'ffmpeg'), join(folder, 'ffprobe')]);
  }
  setEnvironment(t, { CHRONOTOPE_FFMPEG: join(folder, 'elsewhere') });
  await assert.rejects(findFfmpeg(), videoError('ffmpeg-missing', /elsewhere/));
});

test('a program that is not FFmpeg, or too old, is refused', { skip: process.platform === 'win32' }, async (t) => {
  const folder = await temporaryFolder(t);
  await symlink((await findFfmpeg()).ffprobe, join(folder, 'ffprobe'));
  for (const [answer, code, reason] of [
    ['hello', 'ffmpeg-missing', /does not answer/],
    ['ffmpeg version 2.8.17 Copyright', 'ffmpeg-too-old', /2\.8\.17.*too old/],
  ] as const) {
    const program = join(folder, `ffmpeg-${answer.length}`);
    await writeFile(program, `#!/bin/sh\necho "${answer}"\n`);
    await chmod(program, 0o755);
    setEnvironment(t, { CHRONOTOPE_FFMPEG: program });
    await assert.rejects(findFfmpeg(), videoError(code, reason));
  }
});

test('the frame-passing option is spelt as each version knows it', () => {
  for (const version of ['4.0', '4.4.2-0ubuntu0.22.04.1', '5.0.1'])
    assert.equal(passthroughArguments(version)[0], '-vsync');
  for (const version of ['5.1.9-0+deb12u1', 'n7.0', '8.0', 'N-117000-gabc']) {
    assert.equal(passthroughArguments(version)[0], '-fps_mode');
  }
});
