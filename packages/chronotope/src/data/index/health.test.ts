import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ManifestEntry } from '../manifest.js';
import type { VideoFacts } from './facts.js';
import { HealthCollector, type HealthReport } from './health.js';
import { renderHealth } from './render-health.js';

const ordinary: VideoFacts = {
  container: 'mov,mp4,m4a,3gp,3g2,mj2',
  codec: 'h264',
  pixelFormat: 'yuv420p',
  width: 64,
  height: 48,
  rotation: 0,
  sampleAspectRatio: 1,
  audio: false,
  frames: 50,
  duration: 2,
  statedDuration: 2,
  durationOf: 'stream',
  startTime: 0,
  fps: 25,
  statedFps: 25,
  variableFrameRate: false,
  keyframes: 1,
  keyframeSpacing: 2,
  decodableShare: 1,
  warnings: [],
  perceptualHash: null,
};

interface Listed extends Partial<ManifestEntry> {
  video?: Partial<VideoFacts>;
  /** The same number: the same contents. */
  contents?: number;
}

/** A hash of its own for each number, far from all others. */
function hashOf(contents: number): string {
  return Array.from({ length: 8 }, (_, word) => Math.imul(contents * 8 + word + 1, 0x9e3779b1) >>> 0)
    .map((word) => word.toString(16).padStart(8, '0'))
    .join('');
}

function reportOn(
  videos: readonly Listed[],
  { ignored = [] as string[], warnings = [] as string[] } = {},
): HealthReport {
  const health = new HealthCollector();
  for (const [i, { video, contents = i, ...entry }] of videos.entries()) {
    const sha256 = contents.toString(16).padStart(64, '0');
    health.add(
      { id: `${i}.mp4`, path: `/${i}.mp4`, label: 'a', split: 'train', ...entry },
      {
        file: { bytes: 1000, modified: 0, sha256 },
        video: { ...ordinary, perceptualHash: hashOf(contents), ...video },
      },
    );
  }
  const layout = { format: 'class-folders', recognisedBy: null } as const;
  return health.report({ source: 'videos', layout, folder: 'out', ignored, warnings });
}

function codes(report: HealthReport): string[] {
  return report.findings.map(({ code, severity }) => `${severity} ${code}`);
}

test('a data set without faults has none', () => {
  const report = reportOn([{}, { label: 'b' }, { split: 'test' }, { label: 'b', split: 'test' }]);
  assert.deepEqual(report.findings, []);
  assert.match(renderHealth(report), /Nothing to complain about/);
});

test('classes: unbalanced, without training videos, never tested', () => {
  const many = Array.from({ length: 21 }, (): Listed => ({ label: 'big' }));
  const report = reportOn([
    ...many,
    { label: 'small' },
    { label: 'small' },
    { label: 'big', split: 'test' },
    { label: 'new', split: 'test' },
  ]);
  assert.deepEqual(codes(report), [
    'error class-without-training-videos',
    'warning class-without-test-videos',
    'warning unbalanced-classes',
  ]);
  assert.deepEqual(
    report.findings.map(({ examples }) => examples),
    [['new'], ['small'], ['small: 2 of 21']],
  );
});

test('a group with videos on both sides is a leak, and the first thing one reads', () => {
  const report = reportOn([
    { group: 'p1' },
    { group: 'p1', split: 'test' },
    { group: 'p2' },
    { group: 'p3', split: 'test' },
  ]);
  assert.deepEqual(codes(report), ['error group-in-both-splits']);
  assert.deepEqual(report.findings[0]!.examples, ['p1']);
  assert.match(
    renderHealth(report),
    /LEAK.*\n.*1 group\(s\) have videos in more than one of training, validation and test/,
  );
});

test('exact copies: across the splits, with other labels, harmless; videos without contrast are not taken for copies', () => {
  const report = reportOn([
    { contents: 1 },
    { contents: 1, split: 'test' },
    { contents: 2, label: null },
    { contents: 2 },
    { contents: 3, label: 'b', split: 'test' },
    { contents: 3, split: 'test' },
    { contents: 4, label: 'b', video: { perceptualHash: null } },
    { contents: 5, label: 'b', video: { perceptualHash: null } },
  ]);
  assert.deepEqual(
    report.duplicates.map(({ acrossSplits, labelsDiffer, members }) => [
      acrossSplits,
      labelsDiffer,
      members.map(({ id }) => id),
    ]),
    [
      [true, false, ['0.mp4', '1.mp4']],
      [false, true, ['4.mp4', '5.mp4']],
      [false, false, ['2.mp4', '3.mp4']],
    ],
  );
});

test('each peculiarity of a video is found', () => {
  const peculiar: [code: string, video: Partial<VideoFacts>][] = [
    ['warning damaged', { warnings: ['Only 49 of 50 stated frames'] }],
    ['warning blank', { perceptualHash: null }],
    ['warning very-short', { frames: 15, duration: 0.6, statedDuration: 0.6 }],
    ['warning very-short', { frames: 24, duration: 0.4, statedDuration: 0.4, fps: 60, statedFps: 60 }],
    ['warning wrong-duration', { statedDuration: 2.3 }],
    ['warning wrong-duration', { statedDuration: 1.5, durationOf: 'container' }],
    ['warning wrong-frame-rate', { fps: 24 }],
    ['note variable-frame-rate', { variableFrameRate: true, fps: 20 }],
    ['note sparse-key-frames', { keyframeSpacing: 11 }],
    ['note no-stated-duration', { statedDuration: null, durationOf: null }],
    ['note rotated', { rotation: 90 }],
    ['note non-square-pixels', { sampleAspectRatio: 2 }],
  ];
  for (const [code, video] of peculiar) {
    const report = reportOn([{ video }, { split: 'test' }]);
    assert.deepEqual(codes(report), [code], JSON.stringify(video));
    assert.match(report.findings[0]!.examples[0]!, /^0\.mp4: ./);
  }
});

test('sound that goes on after the last picture, and a start after 0 in Matroska, are no wrong duration', () => {
  const fine: Partial<VideoFacts>[] = [
    { statedDuration: 3, durationOf: 'container' },
    { statedDuration: 10, startTime: 8, container: 'matroska,webm' },
    { statedDuration: 2.04 },
  ];
  for (const video of fine) assert.deepEqual(codes(reportOn([{ video }, { split: 'test' }])), []);
});

test('the text shows the largest and the smallest of many classes, and how values spread', () => {
  const videos = Array.from({ length: 40 }, (_, i): Listed[] =>
    Array.from({ length: 40 - i }, () => ({ label: `class ${i}`, video: { duration: 2 + i, statedDuration: 2 + i } })),
  ).flat();
  const report = reportOn(videos, { ignored: ['a.txt'], warnings: ['look'] });
  const text = renderHealth(report);
  assert.match(text, /Classes: 40/);
  assert.match(text, /│ class 0 +│ 40 /);
  assert.match(text, /… 16 more …/);
  assert.match(text, /│ class 39 +│ 1 /);
  assert.ok(text.split('\n').every((line) => line.length <= 110));
  assert.deepEqual([report.spread!.duration.least, report.spread!.duration.most], [2, 41]);
  assert.deepEqual(report.mix.sizes, [{ value: '64x48', videos: 820 }]);
});
