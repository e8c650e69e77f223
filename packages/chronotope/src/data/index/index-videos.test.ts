import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { findFfmpeg, probe } from '@chronotope/video';
import { readJsonLines } from '../json-lines.js';
import { readManifest } from '../manifest.js';
import { type IndexedVideo, indexedManifestFormat, quarantineFormat } from './facts.js';
import type { HealthReport } from './health.js';
import { indexVideos } from './index-videos.js';
import { KnownFiles } from './known-files.js';

const root = mkdtempSync(join(tmpdir(), 'chronotope-index-'));
const videos = join(root, 'videos');
const out = join(root, 'videos.index');
after(() => rmSync(root, { recursive: true }));

const run = promisify(execFile);

/** Runs ffmpeg with arguments separated by blanks; the output is a file of the data set. */
async function ffmpeg(args: string, output: string): Promise<void> {
  const { ffmpeg: program } = await findFfmpeg();
  const path = file(output);
  mkdirSync(dirname(path), { recursive: true });
  await run(program, ['-nostdin', '-v', 'error', '-y', ...args.split(' '), path]);
}

function file(id: string): string {
  return join(videos, ...id.split('/'));
}

const picture = (name: string, seconds = 2) => `-f lavfi -i ${name}=size=64x48:rate=25:duration=${seconds}`;
const quick = '-c:v mpeg4 -q:v 3 -g 25';

/** Makes a Matroska file of 2 s state 1 s. */
function understateDuration(path: string): void {
  const bytes = readFileSync(path);
  const duration = bytes.indexOf('00:00:02.');
  bytes.write('00:00:01.', duration);
  writeFileSync(path, bytes);
}

/** Turns the picture of an MP4 by the display matrix of its track: 90 degrees, clockwise. */
function rotate(path: string): void {
  const bytes = readFileSync(path);
  const matrix = bytes.indexOf('tkhd') + 44;
  for (const [i, value] of [0, 1, 0, -1, 0, 0].entries()) bytes.writeInt32BE(value * 65536, matrix + 4 * i);
  writeFileSync(path, bytes);
}

let report: HealthReport;

before(async () => {
  await Promise.all([
    ffmpeg(`${picture('testsrc2')} ${quick} -movflags +faststart`, 'wave/a.mp4'),
    ffmpeg(`-f lavfi -i mandelbrot=size=64x48:rate=25 -frames:v 50 ${quick} -movflags +faststart`, 'jump/b.mp4'),
  ]);
  copyFileSync(file('jump/b.mp4'), file('jump/b again.mp4'));
  copyFileSync(file('wave/a.mp4'), file('jump/a in jump.mp4'));
  const reencode = `-i ${file('wave/a.mp4')}`;
  await Promise.all([
    ffmpeg(`${reencode} -vf scale=48:36 -c:v mjpeg -q:v 8`, '_test/wave/a smaller.mkv'),
    ffmpeg(`${picture('smptebars', 1)} -f lavfi -i sine=duration=1 ${quick} -shortest`, '_unlabelled/sound.mkv'),
    ffmpeg(`${picture('testsrc')} -vf select=not(mod(n\\,5))+lt(n\\,20) -vsync vfr ${quick}`, 'wave/vfr.mp4'),
    ffmpeg(`${picture('rgbtestsrc')} ${quick}`, 'wave/turned.mp4'),
    ffmpeg(`${picture('yuvtestsrc')} ${quick}`, 'wave/understated.mkv'),
    ffmpeg(`${picture('color', 1)} ${quick}`, 'wave/plain.mp4'),
    ffmpeg(`-f lavfi -i sine=duration=0.5`, 'wave/only sound.mkv'),
  ]);
  rotate(file('wave/turned.mp4'));
  understateDuration(file('wave/understated.mkv'));
  copyFileSync(file('wave/a.mp4'), file('wave/cut.mp4'));
  truncateSync(file('wave/cut.mp4'), Math.round(0.5 * statSync(file('wave/a.mp4')).size));
  copyFileSync(file('wave/turned.mp4'), file('wave/headless.mp4'));
  truncateSync(file('wave/headless.mp4'), readFileSync(file('wave/turned.mp4')).indexOf('moov') - 10);
  writeFileSync(file('wave/empty.mp4'), '');
  writeFileSync(file('wave/text.mp4'), 'this is no video');
  writeFileSync(file('wave/notes.txt'), '');
  report = await indexVideos({ source: videos, out });
});

function finding(code: string) {
  return report.findings.find((candidate) => candidate.code === code);
}

function indexed(): Map<string, IndexedVideo> {
  const lines = readJsonLines(join(out, 'manifest.jsonl'), indexedManifestFormat);
  return new Map([...lines].map(({ value }) => [value.id, value]));
}

test('files that cannot be used are quarantined with the right reason', () => {
  const quarantined = [...readJsonLines(join(out, 'quarantine.jsonl'), quarantineFormat)].map(({ value }) => value);
  assert.deepEqual(Object.fromEntries(quarantined.map(({ id, code }) => [id, code])), {
    'wave/cut.mp4': 'truncated',
    'wave/empty.mp4': 'empty-file',
    'wave/headless.mp4': 'truncated',
    'wave/only sound.mkv': 'no-video-stream',
    'wave/text.mp4': 'not-a-video',
  });
  assert.ok(quarantined.every(({ reason, hint }) => reason.length > 10 && hint.length > 10));
  assert.equal(finding('quarantined')!.count, 5);
  assert.equal(report.quarantined, 5);
});

test('the usable videos are in a manifest that training reads, with what was measured', () => {
  const manifest = indexed();
  assert.equal(manifest.size, 10);
  const { file: state, video, ...entry } = manifest.get('_test/wave/a smaller.mkv')!;
  const path = '../videos/_test/wave/a smaller.mkv';
  assert.deepEqual(entry, { id: '_test/wave/a smaller.mkv', path, label: 'wave', split: 'test' });
  assert.equal(state.bytes, statSync(file('_test/wave/a smaller.mkv')).size);
  assert.match(state.sha256, /^[0-9a-f]{64}$/);
  assert.deepEqual(
    [video.codec, video.width, video.height, video.frames, video.fps, video.keyframes, video.decodableShare],
    ['mjpeg', 48, 36, 50, 25, 50, 1],
  );
  assert.ok(Math.abs(video.duration - 2) < 0.05, `${video.duration}`);
  assert.ok(Math.abs(manifest.get('wave/a.mp4')!.video.keyframeSpacing - 1) < 0.05);
  assert.deepEqual(
    [...manifest.values()].filter((found) => found.video.audio).map(({ id }) => id),
    ['_unlabelled/sound.mkv'],
  );
  const forTraining = readManifest(join(out, 'manifest.jsonl'));
  assert.equal(forTraining.length, 10);
  assert.ok(forTraining.every(({ path }) => statSync(path).size > 0));
});

test('a copy in the test part is found although it was encoded anew, and is the first thing in the report', () => {
  const [first] = report.duplicates;
  assert.deepEqual(
    [first!.kind, first!.acrossSplits, first!.labelsDiffer, first!.members.map(({ id }) => id)],
    ['near', true, true, ['_test/wave/a smaller.mkv', 'jump/a in jump.mp4', 'wave/a.mp4']],
  );
  assert.equal(report.findings[0]!.code, 'train-test-duplicates');
  assert.match(
    report.findings[0]!.examples[0]!,
    /a smaller\.mkv \(test, wave\) = jump\/a in jump\.mp4 \(train, jump\)/,
  );
  assert.equal(finding('conflicting-labels')!.count, 1);
  assert.match(readFileSync(join(out, 'health.txt'), 'utf8'), /LEAK: test results will be better than the truth/);
});

test('exact copies are found', () => {
  assert.equal(report.duplicates.length, 2);
  assert.deepEqual(
    [report.duplicates[1]!.kind, report.duplicates[1]!.members.map(({ id }) => id)],
    ['exact', ['jump/b again.mp4', 'jump/b.mp4']],
  );
  assert.deepEqual(finding('duplicates')!.examples, ['jump/b again.mp4 = jump/b.mp4']);
});

test('what is unusual about single videos is found, and nothing else', () => {
  const examples = (code: string) => finding(code)?.examples.map((example) => example.split(':')[0]);
  assert.deepEqual(examples('variable-frame-rate'), ['wave/vfr.mp4']);
  assert.deepEqual(examples('rotated'), ['wave/turned.mp4']);
  assert.deepEqual(examples('wrong-duration'), ['wave/understated.mkv']);
  assert.match(finding('wrong-duration')!.examples[0]!, /states 1\.00 s, has 2\.00 s/);
  assert.deepEqual(examples('blank'), ['wave/plain.mp4']);
  assert.equal(finding('unlabelled')!.count, 1);
  assert.deepEqual(finding('ignored-files')!.examples, ['wave/notes.txt']);
  assert.deepEqual(finding('class-without-test-videos')!.examples, ['jump']);
  for (const code of ['damaged', 'wrong-frame-rate', 'sparse-key-frames', 'non-square-pixels']) {
    assert.equal(finding(code), undefined, code);
  }
  assert.deepEqual(report.classes, [
    { name: 'jump', train: 3, validation: 0, test: 0 },
    { name: 'wave', train: 5, validation: 0, test: 1 },
  ]);
  assert.ok(
    report.mix.sizes.some(({ value }) => value === '48x64'),
    'turned',
  );
});

test('a second run opens no unchanged file and gives the same; moved and touched ones are known by their contents', async () => {
  const manifest = readFileSync(join(out, 'manifest.jsonl'), 'utf8');
  const summaries: string[] = [];
  const progress = {
    begin: () => ({ update: () => {}, end: (summary?: string) => summaries.push(summary ?? '') }),
    note: () => {},
  };
  assert.deepEqual(await indexVideos({ source: videos, out, progress }), report);
  assert.equal(readFileSync(join(out, 'manifest.jsonl'), 'utf8'), manifest);

  utimesSync(file('jump/b.mp4'), 1, 1);
  renameSync(file('wave/vfr.mp4'), file('wave/moved.mp4'));
  rmSync(file('wave/text.mp4'));
  const again = await indexVideos({ source: videos, out, progress });
  assert.deepEqual(
    again.findings.find(({ code }) => code === 'variable-frame-rate')!.examples[0]!.split(':')[0],
    'wave/moved.mp4',
  );
  assert.equal(again.videos, report.videos - 1);

  copyFileSync(file('wave/turned.mp4'), file('wave/plain.mp4'));
  await indexVideos({ source: videos, out, progress });
  writeFileSync(file('wave/empty.mp4'), 'no longer empty');
  await indexVideos({ source: videos, out, progress });
  assert.deepEqual(summaries, [
    '0 inspected, 15 known',
    '0 inspected, 14 known',
    '0 inspected, 14 known',
    '1 inspected, 13 known',
  ]);
});

test('what is known of the files is at hand for whoever decodes them, as probing would tell it', async () => {
  const path = file('wave/turned.mp4');
  for (const data of [join(out, 'manifest.jsonl'), videos]) {
    const known = KnownFiles.of(data)!;
    const { bytes, modifiedMs, sha256, info } = known.find(path)!;
    const stats = statSync(path);
    assert.deepEqual([bytes, modifiedMs], [stats.size, stats.mtimeMs]);
    assert.equal(sha256, createHash('sha256').update(readFileSync(path)).digest('hex'));
    assert.deepEqual(info, await probe(path));
    assert.equal(known.find(file('wave/cut.mp4')), null, 'it cannot be used');
    assert.equal(known.find('/elsewhere.mp4'), null);
    known.close();
  }
  assert.equal(KnownFiles.of(join(videos, 'wave')), null, 'not indexed by itself');
});

test('a list may name files that are not there, and files too slow to decode are tried again', async () => {
  const list = join(root, 'list.txt');
  writeFileSync(list, 'videos/wave/a.mp4\nvideos/gone.mp4\nvideos/wave\n');
  const elsewhere = join(root, 'list.index');
  const hasty = await indexVideos({ source: list, out: elsewhere, timeoutMs: 1 });
  const reasons = (found: HealthReport) => found.quarantine.map(({ code }) => code).sort();
  assert.deepEqual(reasons(hasty), ['not-a-file', 'not-found', 'timeout']);
  const patient = await indexVideos({ source: list, out: elsewhere });
  assert.deepEqual(reasons(patient), ['not-a-file', 'not-found']);
  assert.equal(patient.usable, 1);
});

test('stopping is clean and says so, and what was found out is kept', async () => {
  const elsewhere = join(root, 'stopped.index');
  const controller = new AbortController();
  const progress = {
    begin: () => ({ update: (done: number) => void (done === 3 && controller.abort()), end: () => {} }),
    note: () => {},
  };
  const stopped = indexVideos({ source: videos, out: elsewhere, jobs: 1, progress, signal: controller.signal });
  await assert.rejects(stopped, { code: 'interrupted' });
  assert.ok(readFileSync(join(elsewhere, 'inspected.jsonl'), 'utf8').trim().split('\n').length >= 1);
  assert.throws(() => statSync(join(elsewhere, '.lock')));
  assert.throws(() => statSync(join(elsewhere, 'manifest.jsonl')));
});
