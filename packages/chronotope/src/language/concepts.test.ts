import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { eye, scope, type Tensor } from '@chronotope/torch';
import { Clip } from '../models/clip/clip.js';
import { fileTrees } from '../testing/file-tree.js';
import { assertClose, readGolden } from '../testing/golden.js';
import { spokenName } from './class-names.js';
import { conceptsOfNames, readConcepts, shippedConcepts } from './concept-file.js';
import { buildConceptSpace, classDirections, controlSpace, orthogonalDirections } from './concept-space.js';
import { fillTemplates, TEMPLATES } from './templates.js';
import { TextEncoder } from './text-features.js';

interface Prompts {
  ucf101: string[];
  kinetics700: string[];
  labels: Record<'ucf101' | 'ucf101_spaced' | 'hmdb51' | 'kinetics400', string[]>;
}

const GOLDEN = readGolden<Prompts>('clip/prompts.json');
const tree = fileTrees();
const file = (name: string, content: string): string => join(tree({ [name]: content }), name);

test("prompts are those of CLIP's authors", () => {
  assert.deepEqual(TEMPLATES.kinetics.toSorted(), GOLDEN.kinetics700.toSorted());
  assert.deepEqual(TEMPLATES.ucf.toSorted(), GOLDEN.ucf101.toSorted());
  assert.deepEqual(fillTemplates(['{}: {}', 'a $& {}'], '$1'), ['$1: $1', 'a $& $1']);
  for (const wrong of [['no place'], []]) assert.throws(() => fillTemplates(wrong, 'x'), { code: 'template-invalid' });
});

test('class names become words', () => {
  const spaced = GOLDEN.labels.ucf101_spaced.map((name) => name.toLowerCase());
  const spoken = GOLDEN.labels.ucf101.map(spokenName);
  // The list in words takes "HandstandPushups" apart once more.
  assert.deepEqual(
    spoken.filter((name) => !spaced.includes(name)),
    ['handstand pushups'],
  );
  const others = [
    ['draw_sword', 'draw sword'],
    ['playing TV game', 'playing tv game'],
    ['TVShow2', 'tv show2'],
    ['  Öffnen_der Tür ', 'öffnen der tür'],
    ['跳躍', '跳躍'],
  ] as const;
  for (const [name, words] of others) assert.equal(spokenName(name), words);
});

test('shipped lists describe exactly the classes of the data sets; together they are 530', () => {
  assert.deepEqual(shippedConcepts(), ['demo', 'hmdb51', 'kinetics400', 'lss-c', 'ucf101']);
  const least = { ucf101: 3, hmdb51: 3, kinetics400: 1 };
  for (const set of ['ucf101', 'hmdb51', 'kinetics400'] as const) {
    const concepts = readConcepts(set);
    assert.deepEqual(concepts.map(({ name }) => name).toSorted(), GOLDEN.labels[set].map(spokenName).toSorted());
    for (const { name, descriptions } of concepts) {
      assert.ok(descriptions.length >= least[set], name);
      for (const description of descriptions) assert.ok(description.split(' ').length <= 24, description);
    }
  }
  assert.equal(readConcepts('kinetics400+ucf101+hmdb51').length, 530);
  const own = readConcepts('lss-c');
  assert.equal(own.length, 196);
  for (const { name, descriptions } of own) {
    assert.ok(
      descriptions.every((description) => !description.includes(name) && description.split(' ').length <= 20),
      name,
    );
  }
});

test('concepts are read from YAML, JSON, lists of names and plain text, and put together without repeats', () => {
  const yaml = file('a.yaml', 'Open_Door:\n  - a door swings\n  - light falls in\nCloseDoor: a door shuts\n');
  assert.deepEqual(readConcepts(yaml), [
    { name: 'open door', descriptions: ['a door swings', 'light falls in'] },
    { name: 'close door', descriptions: ['a door shuts'] },
  ]);
  const json = file('b.json', '{"open door": ["another"], "跳躍": ["兩腳離地"]}');
  assert.deepEqual(
    readConcepts(`${yaml}+${json}`).map(({ name, descriptions }) => [name, descriptions.length]),
    [
      ['open door', 2],
      ['close door', 1],
      ['跳躍', 1],
    ],
  );
  const names = [
    { name: 'run', descriptions: [] },
    { name: 'jump high', descriptions: [] },
  ];
  assert.deepEqual(readConcepts(file('c.yaml', '- run\n- jump_high\n')), names);
  assert.deepEqual(readConcepts(file('d.txt', '# two\nrun\n\njump_high\n')), names);
});

test('files that are empty, repeat a class or hold something else are refused, and say where', () => {
  const cases: [string, string, string, RegExp][] = [
    ['a.yaml', '', 'concepts-empty', /a\.yaml has no concepts/],
    ['a.txt', '# nothing\n', 'concepts-empty', /a\.txt has no concepts/],
    ['a.yaml', 'run: x\nrun: y\n', 'concepts-invalid', /unique/],
    ['a.yaml', 'open_door: x\nOpenDoor: y\n', 'concepts-repeated', /"open_door" and "OpenDoor", which are the same/],
    ['a.txt', 'run\nrun\n', 'concepts-repeated', /"run" twice/],
    ['a.json', '{"run": [3]}', 'concepts-invalid', /a description of "run" is 3/],
    ['a.json', '{"run": [""]}', 'concepts-invalid', /a description of "run" is ""/],
    ['a.json', '"run"', 'concepts-invalid', /expected a mapping/],
    ['a.yaml', 'a: [', 'concepts-invalid', /a\.yaml/],
  ];
  for (const [name, content, code, message] of cases) {
    assert.throws(() => readConcepts(file(name, content)), { code, message });
  }
  assert.throws(() => readConcepts('ucf102'), { code: 'concepts-missing', hint: /ucf101/ });
  assert.throws(() => conceptsOfNames([]), { code: 'concepts-empty' });
});

function newEncoder(): { clip: Clip; encoder: TextEncoder } {
  const clip = new Clip({
    embedding: 12,
    image: { width: 16, layers: 1, heads: 2, resolution: 16, patch: 8 },
    text: { width: 16, layers: 2, heads: 2, context: 16, vocabulary: 1000 },
    activation: 'quick-gelu',
  });
  return { clip, encoder: new TextEncoder(clip) };
}

const CONCEPTS = [
  { name: 'run', descriptions: ['legs move fast', 'arms swing'] },
  { name: 'jump', descriptions: ['both feet leave the ground'] },
  { name: 'sit', descriptions: ['a body rests on a chair', 'knees are bent', 'a back leans'] },
];

const lengths = (rows: Tensor) => rows.norm(2, 1, { keepdim: false }).toArray() as number[];

test('a concept space has unit rows: mean prompts, single descriptions, and their means by class', () => {
  scope(() => {
    const { clip, encoder } = newEncoder();
    const space = buildConceptSpace(CONCEPTS, encoder, ['a video of {}.', '{}']);
    assert.deepEqual(
      [[...space.category.shape], space.classOf],
      [
        [3, 12],
        [0, 0, 1, 2, 2, 2],
      ],
    );
    for (const rows of [space.category, space.description!, space.descriptions!]) {
      assertClose(rows.norm(2, 1), Array(rows.shape[0]).fill(1), { absolute: 1e-5 });
    }
    const prompts = encoder.encode(['a video of jump.', 'jump']);
    const mean = prompts.mean(0);
    assertClose(space.category.select(0, 1), mean.div(mean.norm()).toArray() as number[], { absolute: 1e-5 });
    const single = encoder.encode(['both feet leave the ground']);
    assertClose(space.description!.select(0, 1), single.squeeze(0).toArray() as number[], { absolute: 1e-5 });
    assert.equal(buildConceptSpace(conceptsOfNames(['a', 'b']), encoder, ['{}']).description, null);
    const partly = [...CONCEPTS, { name: 'stand', descriptions: [] }];
    assert.throws(() => buildConceptSpace(partly, encoder, ['{}']), {
      code: 'description-missing',
      message: /1 of 4 classes have no description: "stand"/,
    });
    clip.dispose();
  });
});

test('what stands for a class is its name, and half of it what describes it, however many sentences do', () => {
  scope(() => {
    const { clip, encoder } = newEncoder();
    const { category, description } = buildConceptSpace(CONCEPTS, encoder, ['{}']);
    const half = category.add(description!);
    const expected = half.div(half.norm(2, 1, { keepdim: true })).toArray() as number[][];
    const partly = [...CONCEPTS, { name: 'stand', descriptions: [] }];
    const directions = classDirections(partly, encoder, ['{}']);
    for (const [row, values] of expected.entries()) {
      assertClose(directions.select(0, row), values, { absolute: 1e-5 });
    }
    const name = encoder.encode(['stand']).squeeze(0).toArray() as number[];
    assertClose(directions.select(0, 3), name, { absolute: 1e-5 });
    clip.dispose();
  });
});

test('controls keep sizes and lengths; orthogonal rows are, as far as there is room; shuffling mixes classes up only', () => {
  scope(() => {
    const { clip, encoder } = newEncoder();
    const space = buildConceptSpace(CONCEPTS, encoder, ['{}']);
    for (const control of ['random', 'orthogonal'] as const) {
      const other = controlSpace(space, control, 3);
      assert.deepEqual(other.category.toArray(), controlSpace(space, control, 3).category.toArray());
      assert.notDeepEqual(other.category.toArray(), controlSpace(space, control, 4).category.toArray());
      for (const rows of [other.category, other.description!, other.descriptions!]) {
        for (const length of lengths(rows)) assert.ok(Math.abs(length - 1) < 1e-5);
      }
    }
    const rows = orthogonalDirections(20, 12, 1);
    const first = rows.narrow(0, 0, 12);
    assertClose(first.matmul(first.transpose(0, 1)), eye(12).toArray() as number[][], { absolute: 1e-5 });
    const mixed = controlSpace(space, 'shuffled', 2);
    assert.deepEqual(mixed.category.toArray(), space.category.toArray());
    assert.deepEqual(mixed.descriptions!.toArray(), space.descriptions!.toArray());
    assert.notDeepEqual(mixed.classOf, space.classOf);
    clip.dispose();
  });
});

test('a text tower with more tokens than the vocabulary has is refused', () => {
  scope(() => {
    const clip = new Clip({
      embedding: 4,
      image: { width: 4, layers: 1, heads: 1, resolution: 8, patch: 8 },
      text: { width: 4, layers: 1, heads: 1, context: 8, vocabulary: 400_000 },
      activation: 'gelu',
    });
    assert.throws(() => new TextEncoder(clip), { code: 'vocabulary-size' });
    clip.dispose();
  });
});
