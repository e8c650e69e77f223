import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { distributed } from '@chronotope/torch';
import { stringify } from 'yaml';
import { formatRecipe } from '../../recipes/load.js';
import { printedByTwoProcesses } from '../../testing/chronotope-processes.js';
import { tinyRecipe, writeTinyVideos } from '../../testing/tiny-videos.js';
import { evaluateRun } from '../evaluate.js';
import { RunFolder } from '../run-folder.js';
import { compareRuns, comparisonPlan, type WrittenComparison } from './compare-runs.js';

describe('a set of runs', () => {
  let root = '';
  const set = {
    data: 'videos',
    out: 'runs',
    recipe: 'tiny.yaml',
    set: ['baselines=[supervised]', 'supervised.steps=1', 'teacher.steps=1', 'student.steps=1', 'inputSize=16'],
    stages: ['student'],
    labels: [1, 'all'],
    runs: [
      { name: 'tstr', stages: ['supervised', 'student'] },
      { name: 'average', set: ['similarity.map=constant'] },
    ],
  };
  const file = (name: string) => path.join(root, name);
  const folder = (name: string) => file(path.join('runs', name, 'seed-1'));

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope compare é '));
    await writeTinyVideos(file('videos'));
    writeFileSync(file('tiny.yaml'), formatRecipe(tinyRecipe()));
    writeFileSync(file('set.yaml'), stringify(set));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('is planned, trained once, pre-trained once, and becomes a table and a page', async () => {
    const plan = comparisonPlan(file('set.yaml'));
    assert.deepEqual(
      plan.map(({ name, budget, isFinished, train }) => [name, budget, isFinished, train.pretrained]),
      [
        ['tstr', '1-per-class', false, undefined],
        ['tstr', 'all-labels', false, folder('tstr/1-per-class')],
        ['average', '1-per-class', false, folder('tstr/1-per-class')],
        ['average', 'all-labels', false, folder('tstr/1-per-class')],
      ],
    );
    const first = await compareRuns([file('set.yaml')]);
    const rows = ['tstr: supervised only, from scratch', 'tstr: TimeBalance student', 'average: TimeBalance student'];
    assert.deepEqual(
      first.rows.map(({ title }) => title),
      rows,
    );
    assert.deepEqual(
      first.budgets.map(({ labelled }) => labelled),
      [2, 4],
    );
    const { from } = RunFolder.open(folder('average/all-labels')).stage('pretrain-invariant').result();
    assert.equal(from, folder('tstr/1-per-class'));
    const page = readFileSync(first.page!, 'utf8');
    for (const row of rows) assert.ok(page.includes(row), row);
    assert.equal([...page.matchAll(/<svg class="chart wide"/g)].length, 1);
    assert.equal([...page.matchAll(/<polyline/g)].length, rows.length);

    const written = () => statSync(path.join(folder('tstr/1-per-class'), 'evaluation.json')).mtimeMs;
    const before = written();
    assert.ok(comparisonPlan(file('set.yaml')).every(({ isFinished }) => isFinished));
    assert.deepEqual(await compareRuns([file('set.yaml')]), first);
    assert.equal(written(), before, 'nothing is trained or tested again');
  });

  const skip = distributed.availableBackends().includes('gloo') ? false : 'this libtorch has no gloo';
  test('two processes train a set together, and one of them prints', { skip }, async () => {
    const both = { ...set, out: 'together', labels: [1], runs: set.runs.slice(0, 1) };
    writeFileSync(file('together.yaml'), stringify(both));
    const printed = await printedByTwoProcesses(['compare', file('together.yaml'), '--json']);
    const [text, ...others] = ['[0] ', '[1] '].map((prefix) =>
      printed.split('\n').flatMap((line) => (line.startsWith(prefix) ? [line.slice(prefix.length)] : [])),
    );
    assert.deepEqual(others, [[]]);
    const { rows, page } = JSON.parse(text!.join('\n')) as WrittenComparison;
    assert.equal(rows.length, 2);
    assert.ok(existsSync(page!));
  });

  test('finished runs can be compared, also one with another recipe; what is not to be ranked is refused', async () => {
    const few = [folder('tstr/1-per-class'), folder('average/1-per-class')];
    const compared = await compareRuns(few, { stages: ['student'] });
    assert.deepEqual(
      compared.rows.map(({ title, cells }) => [title.split(':')[0], cells.length]),
      [
        ['tstr/1-per-class/seed-1', 1],
        ['average/1-per-class/seed-1', 1],
      ],
    );
    assert.equal(compared.page, null);
    await assert.rejects(compareRuns(few, { stages: ['fixmatch'] }), { code: 'nothing-to-compare', hint: /student/ });
    await assert.rejects(compareRuns([file('videos')]), { code: 'not-a-run-folder' });

    await evaluateRun(few[1]!, { clips: 3 });
    await assert.rejects(compareRuns(few), { code: 'protocols-differ', message: /clips of a test video: 2 in .*3 in/ });
    const unranked = await compareRuns(few, { unranked: true, out: file('page.html') });
    assert.ok(unranked.rows.every(({ cells }) => cells.every((cell) => cell === null || cell.rank === null)));
    assert.match(readFileSync(file('page.html'), 'utf8'), /not ranked, because they differ/);
  });

  test('the example set can be planned: every run with every choice of labels and every seed', () => {
    const example = fileURLToPath(new URL('../../../../../examples/ablations.yaml', import.meta.url));
    const plan = comparisonPlan(example);
    assert.equal(plan.length, 2 * 2 * 3);
    const { students } = plan[0]!.train.recipe;
    assert.deepEqual(students['invariant-only'], { student: { teacherPair: ['invariant'] } });
    assert.equal(
      plan.filter(({ train }) => train.pretrained === undefined).length,
      3,
      'one pre-training for each seed',
    );
  });

  test('mistakes in the file are named', async () => {
    const broken = async (changes: object, problem: RegExp) => {
      writeFileSync(file('broken.yaml'), stringify({ ...set, ...changes }));
      await assert.rejects(compareRuns([file('broken.yaml')]), problem);
    };
    await broken({ seeds: [] }, /comparison-invalid|seeds/);
    await broken({ runs: [{ name: 'a' }, { name: 'a' }] }, /two runs have the same name/);
    await broken({ runs: [{ name: 'a/b' }] }, /runs\.0\.name/);
    await broken({ labels: [{ name: 'x' }] }, /either file or split/);
    await broken({ recipe: 'no-such' }, /no recipe/);
    writeFileSync(file('broken.yaml'), 'data: [');
    await assert.rejects(compareRuns([file('broken.yaml')]), { code: 'comparison-invalid', message: /line 1/ });
  });
});
