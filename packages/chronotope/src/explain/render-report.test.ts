import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bootstrap } from '../evaluation/bootstrap.js';
import { checkPage } from '../testing/check-page.js';
import type { ClassifierResults, ReportContent, TestResults } from './content.js';
import { renderReport } from './render-report.js';
import { verdict } from './sections/results.js';

const HOSTILE = `<script>alert('1')</script> "&`;
const PIXEL = { source: 'data:image/png;base64,AAAA', width: 4, height: 2 };

/** `classes` classes of two test videos; the classifiers know the first `known` of them. */
function classifier(role: ClassifierResults['role'], classes: number, known: number): ClassifierResults {
  const videos = Array.from({ length: 2 * classes }, (_, video) => Math.floor(video / 2));
  const row = (truth: number) => {
    const answer = truth < known ? truth : (truth + 1) % classes;
    return Float32Array.from({ length: classes }, (_, index) => (index === answer ? 0.9 : 0.1 / classes));
  };
  return { stage: role, title: `${role} ${HOSTILE}`, role, draws: [videos.map(row), videos.map(row)] };
}

function testResults(classes: number): TestResults {
  const videos = Array.from({ length: 2 * classes }, (_, video) => ({
    id: `${HOSTILE}/${video}.mp4`,
    truth: Math.floor(video / 2),
  }));
  const invariant = classifier('teacher', classes, 1);
  const distinctive = classifier('teacher', classes, 2);
  const main = classifier('student', classes, 2);
  const explained = { predicted: 0, against: 1, confidence: 0.9, frames: PIXEL, evidence: PIXEL, moments: [1, -2] };
  return {
    ...{ videos, classifiers: [classifier('baseline', classes, 0), invariant, distinctive, main], main },
    bootstrap: new Bootstrap(videos.length),
    teachers: { invariant, distinctive },
    mistakes: [{ video: 2, ...explained }],
    successes: [{ video: 0, ...explained }],
    neighbours: [{ video: 0, neighbours: [{ index: 1, similarity: 0.5 }] }],
    nearestOfSameClass: 0.5,
    strips: new Map(videos.map((_, index) => [index, PIXEL])),
  };
}

function content(classes = 3): ReportContent {
  const shares = { dataShare: 0.1, forwardShare: 0.4, backwardShare: 0.4, optimizerShare: 0.1 };
  const line = { learningRate: 0.1, samplesPerSecond: 9, ...shares, residentBytes: 1e8, tensorBytes: 1e6 };
  const lines = [1, 2, 3].map((step) => ({ ...line, step, metrics: { loss: 1 / step, accuracy: 0.5 } }));
  const stage = { name: 's', done: true, seconds: 3, from: null, lines };
  return {
    run: HOSTILE,
    startedAt: '2026-01-02T03:04:05.000Z',
    classes: Array.from({ length: classes }, (_, index) => `${HOSTILE}${index}`),
    protocol: {
      data: HOSTILE,
      training: { videos: 9, labelledPerDraw: [3, 3] },
      ...{ testVideos: 2 * classes, draws: 2, seed: 1 },
      ...{ settings: [['input', HOSTILE]], recipe: HOSTILE, machine: [['node', HOSTILE]], command: HOSTILE },
    },
    withoutTest: null,
    test: testResults(classes),
    similarity: {
      training: [0.8, 0.9, 0.95],
      source: 'pretrained',
      map: 'min-max',
      test: Array.from({ length: 2 * classes }, (_, video) => 1 - video / 100),
      agreement: { areaUnderCurve: 0.4, invariant: 3, distinctive: 4 },
    },
    curves: [
      { ...stage, title: 'pre-training', draw: null },
      { ...stage, title: HOSTILE, draw: 0 },
      { ...stage, title: HOSTILE, draw: 1, done: false, seconds: null },
    ],
    health: { training: [{ id: HOSTILE, reason: HOSTILE }], test: [] },
  };
}

test('a full report is whole, safe and describes every picture', () => {
  const page = renderReport(content());
  checkPage(page);
  assert.equal([...page.matchAll(/<section /g)].length, 10);
});

test('every part may be missing', () => {
  const full = content();
  const oneDraw = (all: ClassifierResults) => ({ ...all, draws: all.draws.slice(0, 1) });
  const single = { ...full.test!, classifiers: full.test!.classifiers.map(oneDraw), main: oneDraw(full.test!.main) };
  const variants: Partial<ReportContent>[] = [
    { test: null, withoutTest: 'there are no test videos.' },
    { similarity: null },
    { similarity: { ...full.similarity!, test: null, agreement: null } },
    { test: { ...full.test!, teachers: null } },
    { test: { ...full.test!, mistakes: [], successes: [], neighbours: [], strips: new Map() } },
    { test: single, curves: [] },
    { protocol: { ...full.protocol, training: null, command: null, testVideos: 0, draws: 1 } },
    { health: { training: [], test: [] } },
  ];
  for (const variant of variants) checkPage(renderReport({ ...full, ...variant }));
});

test('many classes and many broken files do not make it long', () => {
  const many = content(400);
  const training = Array.from({ length: 100_000 }, (_, index) => ({ id: `video ${index}`, reason: 'broken' }));
  const page = renderReport({ ...many, health: { training, test: [] } });
  checkPage(page);
  assert.ok(page.length < 1_000_000, `${page.length} characters`);
});

test('the verdict does not hide that a baseline is better', () => {
  const videos = Array.from({ length: 40 }, (_, index) => ({ id: `${index}`, truth: index % 4 }));
  const results = (role: ClassifierResults['role'], known: number): ClassifierResults => ({
    ...{ stage: role, title: role, role },
    draws: [
      videos.map(({ truth }) => Float32Array.from([0, 1, 2, 3], (k) => (k === (truth < known ? truth : 0) ? 1 : 0))),
    ],
  });
  const main = results('student', 2);
  const better = results('baseline', 4);
  const lines = verdict({
    ...{ ...testResults(4), videos, main, bootstrap: new Bootstrap(videos.length) },
    classifiers: [better, results('teacher', 2), main],
  });
  assert.match(lines[0]!, /recognises 50\.0.% of 40 test videos/);
  assert.match(lines[1]!, /Clearly worse than: “baseline” \(−50\.0\)/);
  assert.match(lines[2]!, /Not to be told apart .* “teacher” \(0\.0\)/);
});
