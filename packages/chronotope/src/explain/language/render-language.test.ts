import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bootstrap } from '../../evaluation/bootstrap.js';
import { checkPage } from '../../testing/check-page.js';
import type { ClassifierResults } from '../content.js';
import type { FeatureProtocolResults, LanguageContent, LanguageTest } from './content.js';
import { verdict } from './recognition.js';
import { renderLanguage } from './render-language.js';

const HOSTILE = `<script>alert('1')</script> "&`;
const CLASSES = [`jump ${HOSTILE}`, 'run', 'sit'];
const VIDEOS = Array.from({ length: 30 }, (_, video) => ({ id: `${HOSTILE}/${video}`, truth: video % 3 }));

/** A network that knows these classes and takes all others for the first. */
function network(stage: string, title: string, known: readonly number[]): ClassifierResults {
  const answers = VIDEOS.map(({ truth }) => {
    const answer = known.includes(truth) ? truth : (truth + 1) % 3;
    return Float32Array.from([0, 1, 2], (index) => (index === answer ? 1 : 0));
  });
  return { stage, title, role: 'teacher', draws: [answers] };
}

const image = network('image', 'image CLIP', [0, 1]);
const before = network('start', 'before training', [0]);
const teacher = network('teacher', 'teacher', [0, 2]);

const tested: LanguageTest = {
  recogniser: { by: 'words', prompts: [`a video of ${HOSTILE}.`] },
  videos: VIDEOS,
  classifiers: [image, before, teacher],
  ...{ main: teacher, baseline: image, before, bootstrap: new Bootstrap(VIDEOS.length) },
  captions: [
    {
      ...{ title: 'teacher', videos: 12 },
      textToVideo: { recall: [{ k: 1, value: 0.25 }], medianRank: 2.5 },
      videoToText: { recall: [{ k: 1, value: 0.5 }], medianRank: 1 },
    },
  ],
  ...{ timelines: [], concepts: '', failures: [] },
};

function measured(title: string, stages: readonly string[], names: readonly string[]): FeatureProtocolResults {
  const measures = names.map((name) => ({ name, value: 0.625, low: 0.5, high: 0.75 }));
  return { title, settings: HOSTILE, networks: stages.map((stage) => ({ stage, title: stage, measures })) };
}

const CONTENT: LanguageContent = {
  ...{ run: HOSTILE, startedAt: '2026-01-02T03:04:05.000Z', method: 'LSS', classes: CLASSES },
  protocol: {
    ...{ data: HOSTILE, training: { videos: 9, captions: 0 }, testVideos: 30, seed: 1, learns: 'concepts' },
    ...{ settings: [['views', HOSTILE]], recipe: HOSTILE, machine: [['node', HOSTILE]], command: HOSTILE },
  },
  ...{ withoutTest: null, test: tested },
  features: {
    finished: [
      measured('k-NN', ['start', 'teacher'], ['k = 5', 'centroid']),
      measured('linear probe', ['teacher'], ['linear']),
    ],
    commands: ['chronotope evaluate run --protocol retrieval'],
  },
  ...{ curves: [], collapse: [], health: { training: [], test: [] } },
};

/** The texts of a table's row that begins with a heading. */
function rowOf(page: string, heading: string): string[] {
  const row = page.match(new RegExp(`<th scope="row">${heading}</th>(.*?)</tr>`, 's'))![1]!;
  return [...row.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell]) =>
    cell!.replace(/<.*?>/gs, '').replaceAll('\u00a0', ' '),
  );
}

test('a page says what was done and what was gained over the image CLIP and over the start, whatever things are called', () => {
  const page = renderLanguage(CONTENT);
  checkPage(page);
  assert.match(page, /No label and no sentence about a video had a part in training/);
  // The image CLIP knows "run" and not "sit"; the start neither.
  assert.deepEqual(rowOf(page, 'sit').toSpliced(5, 1), ['10', '0.0 %', '0.0 %', '100.0 %', '+100.0', '+100.0']);
  assert.deepEqual(rowOf(page, 'run').toSpliced(5, 1), ['10', '100.0 %', '0.0 %', '0.0 %', '−100.0', '0.0']);
});

test('features are shown where they were measured, with the command for what was not', () => {
  const page = renderLanguage(CONTENT);
  assert.deepEqual(
    rowOf(page, 'by words').map((text) => text.slice(0, 6)),
    ['33.3 %', '66.7 %'],
  );
  assert.deepEqual(rowOf(page, 'k-NN, k = 5'), Array(2).fill('62.5 % (50.0 % – 75.0 %)'));
  assert.deepEqual(rowOf(page, 'linear probe'), ['–', '62.5 % (50.0 % – 75.0 %)']);
  assert.match(page, /Not measured yet; [^<]*<\/p>\s*<pre tabindex="0">chronotope evaluate run --protocol retrieval/);
  assert.match(page, /videos by sentences.*12.*25\.0.%.*2\.5/);
});

test('every part may be missing', () => {
  const none = { finished: [], commands: [] };
  const protocol = { ...CONTENT.protocol, training: null, command: null, testVideos: 0 };
  const variants: Partial<LanguageContent>[] = [
    { test: null, withoutTest: 'there are no test videos.', features: none },
    { features: { ...none, commands: ['chronotope evaluate run --protocol knn'] } },
    { features: none, test: { ...tested, captions: [], before: null, baseline: before } },
    { test: { ...tested, recogniser: { by: 'neighbours', k: 5, why: HOSTILE } } },
    ...(['captions', 'outputs', 'features'] as const).map((learns) => ({ protocol: { ...protocol, learns } })),
  ];
  for (const variant of variants) checkPage(renderLanguage({ ...CONTENT, ...variant }));
  assert.ok(!renderLanguage({ ...CONTENT, ...variants[0] }).includes('id="features"'));
});

test('the verdict says what was gained over either, and does not hide that nothing was', () => {
  const [own, second, ...more] = verdict(tested);
  assert.match(
    own!,
    /^teacher: 66\.7.% of 30 test videos recognised, 0\.0 points against “image CLIP” .*not to be told apart/,
  );
  assert.match(second!, /^\+33\.3 points against “before training” \(\+\d/);
  assert.equal(more.length, 0);
  assert.deepEqual(verdict({ ...tested, main: image, before: null }), [
    'image CLIP: 66.7\u00a0% of 30 test videos recognised.',
  ]);
});
