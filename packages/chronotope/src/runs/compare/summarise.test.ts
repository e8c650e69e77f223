import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadRecipeOf } from '../../recipes/load.js';
import { protocolDifferences } from './protocol-differences.js';
import type { RunProtocol, RunResult } from './run-result.js';
import { type ComparedRun, summarise } from './summarise.js';

const recipe = loadRecipeOf('timebalance', 'timebalance-demo');
const VIDEOS = ['a', 'b', 'c', 'd'];

const protocol = (changes: Partial<RunProtocol> = {}): RunProtocol => ({
  classes: ['x', 'y'],
  test: new Map(VIDEOS.map((id) => [id, 'x'])),
  ...{ clips: 4, crops: 1, average: 'probabilities' },
  training: ['u', 'v'],
  labels: [new Map([['u', 'x']])],
  ...changes,
});

/** @param right for each draw one letter a test video: r for right */
function run(name: string, right: string[], changes: Partial<RunProtocol> = {}, budget = 'few'): ComparedRun {
  const ids = [...protocol(changes).test.keys()];
  const draws = right.map((draw) => new Map(ids.map((id, video) => [id, draw[video] === 'r'])));
  const result: RunResult = {
    folder: name,
    recipe,
    protocol: protocol(changes),
    groups: new Map(),
    classifiers: [{ stage: 'student', title: 'TimeBalance student', draws }],
  };
  return { name, budget, result };
}

describe('the table of a comparison', () => {
  test('means and deviations are over seeds and draws, ranks and differences within a choice of labels', () => {
    const more = {
      labels: [
        new Map([
          ['u', 'x'],
          ['v', 'y'],
        ]),
      ],
    };
    const labels = { labels: protocol().labels.concat(protocol().labels) };
    const comparison = summarise([
      run('one', ['rrrr', 'rr--'], labels),
      run('two', ['r---', 'rr--'], labels),
      run('one', ['rrr-'], more, 'many'),
      run('two', ['rrr-'], more, 'many'),
    ]);
    assert.deepEqual(comparison.differences, []);
    assert.deepEqual(comparison.budgets, [
      { name: 'few', labelled: 1 },
      { name: 'many', labelled: 2 },
    ]);
    const [one, two] = comparison.rows;
    assert.equal(one!.title, 'one: TimeBalance student');
    assert.deepEqual(one!.cells[0]!.values, [1, 0.5]);
    assert.equal(one!.cells[0]!.top1.value, 0.75);
    assert.ok(Math.abs(one!.cells[0]!.deviation! - Math.SQRT1_2 / 2) < 1e-12);
    assert.deepEqual([one!.cells[0]!.rank, two!.cells[0]!.rank], [1, 2]);
    assert.equal(one!.cells[0]!.behindBest, null);
    assert.equal(two!.cells[0]!.behindBest!.value, 0.375 - 0.75);
    assert.deepEqual([one!.cells[1]!.rank, two!.cells[1]!.rank], [1, 1], 'equals share a rank');
    assert.equal(two!.cells[1]!.deviation, null);
    assert.deepEqual([two!.cells[1]!.behindBest!.low, two!.cells[1]!.behindBest!.high], [0, 0]);
  });

  test('runs with other test videos get numbers of their own and no ranks', () => {
    const { rows, differences } = summarise([run('one', ['rr--']), run('two', ['r'], { test: new Map([['e', 'x']]) })]);
    assert.match(differences.join(), /test videos: 4 videos in one, 1 videos in two/);
    assert.deepEqual(
      rows.map(({ cells }) => [cells[0]!.top1.value, cells[0]!.rank, cells[0]!.behindBest]),
      [
        [0.5, null, null],
        [1, null, null],
      ],
    );
  });
});

describe('protocols that differ', () => {
  const differing = (changes: Partial<RunProtocol>) =>
    protocolDifferences([run('one', ['rrrr']), run('two', ['rrrr'], changes)]);

  test('are named field by field', () => {
    assert.deepEqual(differing({}), []);
    assert.deepEqual(differing({ clips: 10 }), ['clips of a test video: 4 in one, 10 in two']);
    assert.deepEqual(differing({ crops: 3 }), ['crops of a clip: 1 in one, 3 in two']);
    assert.deepEqual(differing({ average: 'logits' }), ['averaged over clips: probabilities in one, logits in two']);
    assert.deepEqual(differing({ classes: ['x', 'y', 'z'] }), ['classes: 2 classes in one, 3 classes in two']);
    assert.match(
      differing({ training: ['u', 'w'] })[0]!,
      /^training videos: 2 videos in one, .* \(not the same ones\)$/,
    );
    assert.match(differing({ test: new Map(VIDEOS.map((id) => [id, 'y'])) })[0]!, /^test videos: .*not the same ones/);
  });

  test('labels must be the same within a budget, in any order of seeds, and may differ between budgets', () => {
    const other = { labels: [new Map([['v', 'x']])] };
    assert.match(
      differing(other)[0]!,
      /^label sets of few: other labels are known: 1 label set in one, 1 label set in two/,
    );
    const swapped = [
      run('one', ['rrrr']),
      run('one', ['rrrr'], other),
      run('two', ['rrrr'], other),
      run('two', ['rrrr']),
    ];
    assert.deepEqual(protocolDifferences(swapped), []);
    assert.deepEqual(protocolDifferences([run('one', ['rrrr']), run('two', ['rrrr'], other, 'many')]), []);
    assert.match(protocolDifferences(swapped.slice(0, 3))[0]!, /2 label sets in one, 1 label set in two/);
  });
});
