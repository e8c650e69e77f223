import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { fileTrees } from '../../testing/file-tree.js';
import { drawLabels, type LabelBudget } from '../label-split.js';
import type { ManifestEntry, Split } from '../manifest.js';
import { cutParts } from './cut-parts.js';
import { applySplit, listHash, readSplit, splitHash, splitOf, writeSplit } from './dataset-split.js';
import { findLeaks, withContentHashes } from './leaks.js';
import { makeSplit } from './make-split.js';

const tree = fileTrees();

const entry = (id: string, label: string | null, split: Split = 'train', group?: string): ManifestEntry => ({
  id,
  path: `/data/${id}`,
  label,
  split,
  ...(group === undefined ? {} : { group }),
});

/** Data sets of two to four classes; groups may hold videos of several classes and unlabelled ones. */
const datasets = fc
  .array(fc.record({ label: fc.nat(4), group: fc.option(fc.nat(12)), size: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 8,
    maxLength: 40,
  })
  .map((blocks) =>
    blocks.flatMap(({ label, group, size }, block) =>
      Array.from({ length: size }, (_, k) =>
        entry(
          `v${block}-${k}.mp4`,
          label === 4 ? null : `class ${label}`,
          'train',
          group === null ? undefined : `g${group}`,
        ),
      ),
    ),
  );

const seeds = fc.nat(1000);
const budgets = fc.oneof(
  fc.record({ perClass: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ percent: fc.double({ min: 0.5, max: 100, noNaN: true }) }),
);

function shuffled<T>(values: readonly T[], order: readonly number[]): T[] {
  return values
    .map((value, k) => ({ value, key: order[k % order.length]! * 7919 + k * 104729 }))
    .sort((a, b) => (a.key % 977) - (b.key % 977))
    .map(({ value }) => value);
}

function labelled(entries: readonly ManifestEntry[]): Set<string> {
  return new Set(entries.filter(({ label }) => label !== null).map(({ id }) => id));
}

/** The labelled ids of a draw, or `null` when a class has too few videos for it. */
function draw(
  entries: readonly ManifestEntry[],
  budget: LabelBudget,
  seed: number,
  groups: 'ignore' | 'spread',
): Set<string> | null {
  try {
    return labelled(drawLabels(entries, { ...budget, seed, groups }));
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'too-few-labels');
    return null;
  }
}

const perClass = (entries: readonly ManifestEntry[], ids: ReadonlySet<string>): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const { id, label } of entries)
    if (label !== null) counts.set(label, (counts.get(label) ?? 0) + Number(ids.has(id)));
  return counts;
};

test('label draws are nested, balanced, repeatable, and independent of the order of the list', () => {
  fc.assert(
    fc.property(
      datasets,
      seeds,
      budgets,
      budgets,
      fc.constantFrom('ignore' as const, 'spread' as const),
      fc.array(fc.nat(976), { minLength: 1 }),
      (entries, seed, one, other, groups, order) => {
        const a = draw(entries, one, seed, groups);
        const b = draw(entries, other, seed, groups);
        assert.deepEqual(draw(shuffled(entries, order), one, seed, groups), a);
        if (a === null || b === null) return;
        const everywhere = perClass(entries, new Set(entries.map(({ id }) => id)));
        for (const [name, count] of perClass(entries, a)) {
          const available = everywhere.get(name)!;
          const wanted = 'perClass' in one ? one.perClass : Math.max(1, Math.round((available * one.percent) / 100));
          assert.equal(count, wanted);
          // In each class the smaller draw is part of the larger one, whatever the budgets are.
          const of = (ids: ReadonlySet<string>) =>
            entries.filter(({ id, label }) => label === name && ids.has(id)).map(({ id }) => id);
          const [small, large] = of(a).length <= of(b).length ? [of(a), b] : [of(b), a];
          assert.ok(small.every((id) => large.has(id)));
        }
      },
    ),
  );
});

test('spread draws take no second video of a group before every group of the class has one', () => {
  fc.assert(
    fc.property(datasets, seeds, fc.integer({ min: 1, max: 5 }), (entries, seed, count) => {
      const ids = draw(entries, { perClass: count }, seed, 'spread');
      if (ids === null) return;
      for (const name of perClass(entries, ids).keys()) {
        const ofClass = entries.filter(({ label }) => label === name);
        const groups = new Set(ofClass.map(({ id, group }) => group ?? id));
        const drawnGroups: string[] = ofClass.filter(({ id }) => ids.has(id)).map(({ id, group }) => group ?? id);
        assert.equal(new Set(drawnGroups).size, Math.min(count, groups.size));
      }
    }),
  );
});

test('cut parts share no group, keep all videos, and depend on neither order nor run', () => {
  fc.assert(
    fc.property(datasets, seeds, fc.array(fc.nat(976), { minLength: 1 }), (entries, seed, order) => {
      const cut = (list: readonly ManifestEntry[]) => {
        try {
          return cutParts(list, { validation: 0.2, test: 0.3, seed });
        } catch (error) {
          assert.match(String((error as { code?: string }).code), /class-not-in-part/);
          return null;
        }
      };
      const result = cut(entries);
      const again = cut(shuffled(entries, order));
      assert.equal(again === null, result === null);
      if (result === null || again === null) return;
      assert.deepEqual(
        result.map(({ id, label }) => [id, label]),
        entries.map(({ id, label }) => [id, label]),
      );
      assert.equal(
        splitHash(splitOf(again, { name: '', steps: [], list: entries })),
        splitHash(splitOf(result, { name: '', steps: [], list: entries })),
      );
      assert.deepEqual(
        findLeaks(result).filter(({ kind }) => kind === 'group'),
        [],
      );
      const elsewhere = new Set(result.filter(({ split }) => split !== 'train').map(({ group }) => group));
      for (const { label, split, group } of result) {
        if (label === null) assert.equal(split, group !== undefined && elsewhere.has(group) ? 'unused' : 'train');
      }
    }),
    { numRuns: 200 },
  );
});

test('without groups every class is cut to its shares, within one video', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 10, max: 40 }), { minLength: 2, maxLength: 5 }), seeds, (sizes, seed) => {
      const entries = sizes.flatMap((size, label) =>
        Array.from({ length: size }, (_, k) => entry(`${label}/${k}.mp4`, `c${label}`)),
      );
      const result = cutParts(entries, { validation: 0.15, test: 0.25, seed });
      for (const [label, size] of sizes.entries()) {
        for (const [part, share] of [
          ['validation', 0.15],
          ['test', 0.25],
          ['train', 0.6],
        ] as const) {
          const count = result.filter((one) => one.label === `c${label}` && one.split === part).length;
          assert.ok(Math.abs(count - share * size) <= 1, `${part}: ${count} of ${size}`);
        }
      }
    }),
  );
});

test('a cut that is not possible says why', () => {
  const entries = [
    entry('a1', 'a', 'train', 'p'),
    entry('a2', 'a', 'train', 'p'),
    entry('b1', 'b', 'train', 'q'),
    entry('b2', 'b', 'train', 'r'),
  ];
  assert.throws(() => cutParts(entries, { test: 0.5, seed: 0 }), {
    code: 'class-not-in-part',
    message: /class "a" in the (train|test) part/,
  });
  assert.throws(() => cutParts(entries, { test: 1, seed: 0 }), { code: 'bad-cut' });
  assert.throws(() => cutParts(entries, { seed: 0 }), { code: 'bad-cut' });
  assert.throws(() => cutParts([...entries, entry('t', 'a', 'test')], { test: 0.5, seed: 0 }), {
    code: 'bad-cut',
    message: /already has a test part of 1/,
  });
});

test('a split of nothing is refused, and that of a data set with parts records them', () => {
  const training = [entry('a', 'x'), entry('b', 'y')];
  assert.throws(() => makeSplit(training, { seed: 0 }), { code: 'no-split-asked' });
  const lists = { labelled: 'l.txt' };
  assert.throws(() => makeSplit(training, { seed: 0, lists, test: 0.5 }), { code: 'split-conflict' });
  const official = makeSplit([...training, entry('c', 'x', 'test')], { seed: 0 }).split;
  assert.deepEqual([official.name, official.steps], ['as listed', [{ rule: 'as-listed' }]]);
  assert.deepEqual(
    official.items.map(({ part }) => part),
    ['train', 'train', 'test'],
  );
});

test('a split comes back from its file, and a file that was changed is refused', () => {
  const entries = [entry('b.mp4', 'x'), entry('a, "é".mp4', null), entry('t.mp4', 'y', 'test')];
  const split = splitOf(entries, { name: 'mine', steps: [{ rule: 'per-class', perClass: 2, seed: 7 }], list: entries });
  const file = join(tree({}), 'mine.split.jsonl');
  writeSplit(file, split);
  assert.deepEqual(readSplit(file), split);
  const text = readFileSync(file, 'utf8');
  assert.match(text.split('\n')[0]!, /"hash":"sha256:[0-9a-f]{64}"/);

  const refuses = (changed: string, code: string, message: RegExp): void => {
    writeFileSync(file, changed);
    assert.throws(() => readSplit(file), { code, message: message as unknown as string });
  };
  refuses(text.replace('"label":"x"', '"label":"y"'), 'split-changed', /another hash/);
  refuses(text.split('\n').slice(0, -2).join('\n'), 'split-changed', /another hash/);
  refuses(text.replace('"part":"train"', '"part":"training"'), 'split-invalid', /line 2: "part"/);
  refuses('{}\n', 'split-invalid', /line 1/);
});

test('applying a split sets parts and labels; what it does not name is set aside; what is gone is an error', () => {
  const entries = [entry('a', 'x'), entry('b', 'x'), entry('c', 'y')];
  const drawn = splitOf([{ ...entries[0]!, label: null }, { ...entries[1]!, split: 'test' }, entries[2]!], {
    name: 's',
    steps: [],
    list: entries,
  });
  const same = applySplit([...entries].reverse(), drawn);
  assert.deepEqual(
    same.entries.map(({ id, split, label }) => [id, split, label]),
    [
      ['c', 'train', 'y'],
      ['b', 'test', 'x'],
      ['a', 'train', null],
    ],
  );
  assert.deepEqual(same.notes, []);
  const more = applySplit([...entries, entry('d', 'y')], drawn);
  assert.equal(more.entries[3]!.split, 'unused');
  assert.match(more.notes[0]!, /1 videos are not named/);
  assert.match(applySplit([{ ...entries[0]!, label: 'z' }, entries[1]!, entries[2]!], drawn).notes[0]!, /have changed/);
  assert.throws(() => applySplit(entries.slice(1), drawn), {
    code: 'split-mismatch',
    message: /1 of the 3 videos .* example a$/,
  });
});

test('the hash of a list knows ids, labels, parts and groups, and neither order nor place', () => {
  const entries = [entry('a', 'x', 'train', 'p'), entry('b', null)];
  const hash = listHash(entries);
  assert.equal(listHash([...entries].reverse().map((one) => ({ ...one, path: '/elsewhere' }))), hash);
  for (const change of [{ id: 'c' }, { label: 'y' }, { split: 'test' as const }, { group: 'q' }]) {
    assert.notEqual(listHash([{ ...entries[0]!, ...change }, entries[1]!]), hash);
  }
});

test('leaks: the same file, group or content in two parts is found, in one part it is not', async () => {
  const root = tree({
    'a.mp4': 'same bytes',
    'copy.mp4': 'same bytes',
    'c.mp4': 'other bytes!',
    'd.mp4': 'differs of',
    'e.mp4': 'same bytes',
  });
  const at = (id: string, split: Split, more: Partial<ManifestEntry> = {}): ManifestEntry => ({
    ...entry(id, 'x', split),
    path: join(root, id.split('#')[0]!),
    ...more,
  });
  const entries = [
    at('a.mp4', 'train', { group: 'p' }),
    at('copy.mp4', 'test'),
    at('c.mp4#0-5', 'train', { clip: { unit: 'seconds', start: 0, end: 5 } }),
    at('c.mp4#5-9', 'validation', { clip: { unit: 'seconds', start: 5, end: 9 } }),
    at('d.mp4', 'test', { group: 'p' }),
    at('e.mp4', 'unused', { group: 'p' }),
  ];
  const leaks = findLeaks(await withContentHashes(entries));
  assert.deepEqual(
    leaks.map(({ kind, parts, ids }) => [kind, parts, ids]),
    [
      ['file', ['train', 'validation'], ['c.mp4#0-5', 'c.mp4#5-9']],
      ['group', ['train', 'test'], ['a.mp4', 'd.mp4']],
      ['content', ['train', 'test'], ['a.mp4', 'copy.mp4']],
    ],
  );
  assert.deepEqual(findLeaks(entries.map((one) => ({ ...one, split: 'train' as const }))), []);
});
