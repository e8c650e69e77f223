import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { memory } from '@chronotope/torch';
import { loadRecipeOf } from '../../recipes/load.js';
import { writeFilm } from '../../testing/write-film.js';
import { trainTimeBalance } from '../train-timebalance.js';
import { reportRun } from './report-run.js';

const FEW_STEPS = ['invariant', 'distinctive', 'student']
  .flatMap((stage) => [`pretrain.${stage}.epochs=1`, `pretrain.${stage}.batch=4`])
  .concat(['supervised', 'teacher', 'student'].map((stage) => `${stage}.steps=2`))
  .concat([
    'supervised.batch=4',
    'teacher.batch=4',
    'student.batch=4',
    'student.unlabelledBatch=2',
    'evaluation.clips=2',
    'student.teacherBalance=labelled',
    'student.teacherTemperature=0.5',
  ]);

const sectionsOf = (page: string) => [...page.matchAll(/<section id="([^"]*)"/g)].map(([, id]) => id);
const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('chronotope-report-'));

describe('the report of a run', () => {
  let root = '';
  const report = async (options = {}) =>
    readFileSync(await reportRun(path.join(root, 'run'), { out: path.join(root, 'r.html'), ...options }), 'utf8');

  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'chronotope reports é '));
    const data = path.join(root, 'videos');
    for (const k of [0, 1]) {
      await writeFilm(path.join(data, 'red & <i>hot', `r${k}.mp4`), true, k);
      await writeFilm(path.join(data, 'blue', `b${k}.mp4`), false, k);
      await writeFilm(path.join(data, '_test', k === 0 ? 'red & <i>hot' : 'blue', `t${k}.mp4`), k === 0, 9 + k);
    }
    mkdirSync(path.join(data, '_unlabelled'));
    writeFileSync(path.join(data, '_unlabelled', 'empty.mp4'), '');
    writeFileSync(path.join(data, '_test', 'blue', 'empty.mp4'), '');
    await trainTimeBalance({
      ...{ data, out: path.join(root, 'run'), recipe: loadRecipeOf('timebalance', 'timebalance-demo', FEW_STEPS) },
      ...{ labelsPerClass: 1, labelDraws: 2 },
    });
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('holds every section, the labels of the run, the broken files and pictures, and leaves nothing behind', async () => {
    const before = { tensors: memory().liveTensors, folders: leftovers() };
    const page = await report();
    assert.deepEqual(
      sectionsOf(page).filter((id) => id !== 'teachers'),
      ['results', 'protocol', 'similarity', 'confusion', 'evidence', 'neighbours', 'curves', 'health', 'ledger'],
    );
    assert.match(page, /5 training videos, 2 of them with a label; 2 test videos/);
    assert.match(page, /--labels-per-class 1/);
    assert.match(page, /balanced by class, as the labels are, sharpened by a temperature of 0\.5/);
    assert.match(page, /_unlabelled\/empty\.mp4/);
    assert.match(page, /_test\/blue\/empty\.mp4/);
    assert.match(page, /red &amp; &lt;i&gt;hot/);
    assert.doesNotMatch(page, /<i>hot/);
    const pictures = [...page.matchAll(/src="data:image\/jpeg;base64,([^"]*)"/g)].map(([, text]) => text!);
    assert.ok(pictures.length >= 6);
    for (const text of pictures) assert.deepEqual([...Buffer.from(text, 'base64').subarray(0, 2)], [0xff, 0xd8]);
    assert.ok(page.length < 500_000);
    assert.deepEqual({ tensors: memory().liveTensors, folders: leftovers() }, before);
  });

  test('Ctrl-C ends it without a file and without a temporary folder', async () => {
    const before = leftovers();
    const out = path.join(root, 'none.html');
    await assert.rejects(report({ out, signal: AbortSignal.abort() }), { code: 'interrupted' });
    const controller = new AbortController();
    const progress = {
      begin: (title: string) => {
        if (title === 'drawing examples') controller.abort();
        return { update: () => {}, end: () => {} };
      },
      note: () => {},
    };
    await assert.rejects(report({ out, signal: controller.signal, progress }), { code: 'interrupted' });
    assert.ok(!existsSync(out));
    assert.deepEqual(leftovers(), before);
  });

  test('says what there is when stages, the similarity scores or the test videos are missing', async () => {
    const stages = path.join(root, 'run', 'stages');
    for (const name of ['draw-1/student', 'draw-2/student', 'draw-2/teacher-invariant', 'similarity']) {
      rmSync(path.join(stages, name, 'stage.json'));
    }
    const unfinished = await report();
    assert.match(unfinished, /The temporally-distinctive teacher recognises/);
    assert.ok(!sectionsOf(unfinished).includes('similarity'));

    const dataFile = path.join(root, 'run', 'data.json');
    const { test: _, train: __, labels: ___, choice: ____, ...older } = JSON.parse(readFileSync(dataFile, 'utf8'));
    writeFileSync(dataFile, JSON.stringify({ ...older, test: [] }));
    const file = await reportRun(path.join(root, 'run'));
    assert.equal(file, path.join(root, 'run', 'report.html'), 'by default in the run folder');
    const page = readFileSync(file, 'utf8');
    assert.match(page, /There are no test results/);
    assert.deepEqual(sectionsOf(page), ['results', 'protocol', 'curves', 'health', 'ledger']);
  });
});
