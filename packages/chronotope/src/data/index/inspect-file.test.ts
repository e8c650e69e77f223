import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { findFfmpeg } from '@chronotope/video';
import type { Outcome, VideoFacts } from './facts.js';
import { inspectFiles } from './inspect-file.js';
import { bitCount, hashWords } from './perceptual-hash.js';

const folder = mkdtempSync(join(tmpdir(), 'chronotope-inspect-'));
after(() => rmSync(folder, { recursive: true }));

const file = (name: string) => join(folder, name);

async function make(name: string, ...args: string[]): Promise<string> {
  const { ffmpeg } = await findFfmpeg();
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=1.2'];
  await promisify(execFile)(ffmpeg, ['-nostdin', '-v', 'error', ...picture, ...args, file(name)]);
  return file(name);
}

async function inspect(...paths: string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for await (const outcome of inspectFiles(paths, { timeoutMs: 60_000 })) outcomes.push(outcome);
  return outcomes;
}

let good: string[];

before(async () => {
  const mpeg4 = ['-c:v', 'mpeg4', '-q:v', '3', '-g', '10'];
  good = await Promise.all([
    make('a.mp4', ...mpeg4, '-bf', '2'),
    make('b.mkv', '-vf', 'select=not(eq(mod(n\\,5)\\,3))', '-vsync', 'vfr', ...mpeg4),
    make('c.avi', ...mpeg4),
    make('d.ts', '-c:v', 'mpeg2video', '-q:v', '3'),
    make('e.gif'),
  ]);
});

test('files looked at together are found to be what each is alone, whatever is beside them', async () => {
  const bytes = readFileSync(good[0]!);
  const smeared = Buffer.from(bytes).fill(0xff, bytes.indexOf('mdat') + 2000, bytes.indexOf('mdat') + 2040);
  writeFileSync(file('smeared.mp4'), smeared);
  writeFileSync(file('cut.mp4'), bytes.subarray(0, bytes.length / 2));
  writeFileSync(file('text.mp4'), 'no video');
  const bad = ['smeared.mp4', 'cut.mp4', 'text.mp4', 'gone.mp4'].map(file);
  for (const paths of [good, [good[0]!, bad[0]!, good[2]!, ...bad.slice(1)]]) {
    const together = await inspect(...paths);
    for (const [k, path] of paths.entries()) assert.deepEqual(together[k], (await inspect(path))[0], path);
  }
  const codes = (await inspect(...bad)).map((outcome) => ('failure' in outcome ? outcome.failure.code : 'usable'));
  assert.deepEqual(codes, ['usable', 'truncated', 'not-a-video', 'not-found']);
});

test('a container whose clock does not start at 0 hides neither a copy nor the distance of key frames', async () => {
  const [mp4, , , stream] = (await inspect(...good)).map((outcome) => (outcome as { video: VideoFacts }).video);
  assert.ok(mp4!.startTime === 0 && stream!.startTime > 1, `${stream!.startTime}`);
  const [one, other] = [mp4!, stream!].map(({ perceptualHash }) => hashWords(perceptualHash!));
  const distance = one!.reduce((sum, word, k) => sum + bitCount(word ^ other![k]!), 0);
  assert.ok(distance <= 12, `${distance} bits`);
  assert.ok(Math.abs(stream!.keyframeSpacing - 12 / 25) < 0.01, `${stream!.keyframeSpacing}`);
});
