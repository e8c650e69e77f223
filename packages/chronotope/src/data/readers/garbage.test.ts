import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChronotopeError } from '../../errors.js';
import { empty, fileTrees } from '../../testing/file-tree.js';
import { DATASET_FORMATS, type DatasetFormat } from './dataset.js';
import { readDataset } from './read-dataset.js';

const tree = fileTrees();

/** A right list of every format that has one, to be damaged. */
const LISTS: Partial<Record<DatasetFormat, [name: string, content: string, others?: Record<string, string>]>> = {
  manifest: [
    'm.jsonl',
    '{"id":"a","path":"a.mp4","label":"x","split":"train","clip":{"unit":"frames","start":0,"end":9}}\n',
  ],
  csv: ['t.csv', 'path,label,split,start,end\n"a.mp4",x,train,0,1.5\nb.mp4,"y, z",test,,\n'],
  jsonl: ['t.jsonl', '{"path":"a.mp4","label":"x"}\n{"path":"b.mp4","start":2}\n'],
  ucf101: [
    'trainlist01.txt',
    'Jump/v_Jump_g08_c01.avi 1\n',
    { 'classInd.txt': '1 Jump\n', 'testlist01.txt': 'Jump/v_Jump_g01_c01.avi\n' },
  ],
  hmdb51: ['wave_test_split1.txt', 'a_wave_f_cm_np1_ba_med_0.avi 2 \nb.avi 1\n'],
  kinetics: ['train.csv', 'label,youtube_id,time_start,time_end,split\na,AAAAAAAAAAA,0,10,train\n'],
  'something-something': [
    'train.json',
    '[{"id":"78","label":"s","template":"Closing [something]"}]',
    { 'labels.json': '{"Closing something":"0"}' },
  ],
  jester: ['jester-v1-train.csv', '1;No gesture\n2;No gesture\n', { 'jester-v1-labels.csv': 'No gesture\n' }],
  got10k: ['S/groundtruth.txt', '1,2,3,4\n', { 'S/00000001.jpg': '', 'S/cover.label': '8\n' }],
  otb: ['S/groundtruth_rect.txt', '1,2,3,4\n', { 'S/img/0001.jpg': '' }],
  webdataset: ['a.tar', 'x'.repeat(600)],
  'label-studio': [
    'e.json',
    '[{"id":1,"data":{"video":"a.mp4"},"annotations":[{"result":[{"type":"choices","value":{"choices":["x"]}}]}]}]',
  ],
  cvat: [
    'a.xml',
    '<annotations><meta><task><id>1</id><source>a.mp4</source></task></meta><track id="0" label="x"><box frame="1" outside="0"/></track></annotations>',
  ],
};

/** Lists that are read as a file; the others are found in their folder. */
const AS_FILE: readonly DatasetFormat[] = ['manifest', 'csv', 'jsonl', 'label-studio', 'cvat'];

const damage = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(12),
  insert: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom('\n', '"', ',', ';', '{', '}', '[', '<', '>', '\0', ' -1 ', 'null', '\uFEFF'),
  ),
});

test('damaged lists are read or refused with an error that people can use, never anything else', async () => {
  for (const [format, [name, content, others = {}]] of Object.entries(LISTS) as [
    DatasetFormat,
    [string, string, Record<string, string>?],
  ][]) {
    await fc.assert(
      fc.asyncProperty(damage, async ({ at, remove, insert }) => {
        const cut = Math.floor(at * content.length);
        const damaged = content.slice(0, cut) + insert + content.slice(cut + remove);
        const root = tree({ ...others, [name]: damaged, ...empty('a.mp4', 'b.mp4') });
        const path = AS_FILE.includes(format) ? `${root}/${name}` : root;
        for (const asked of [format, 'auto'] as const) {
          await readDataset(path, { format: asked, missing: 'keep' }).catch((error: unknown) => {
            assert.ok(error instanceof ChronotopeError, `${format}: ${String((error as Error).stack)}`);
            assert.ok(error.hint !== undefined && error.message.includes(root), error.message);
          });
        }
      }),
      { numRuns: 40 },
    );
  }
});

test('every format refuses a file and a folder that have nothing of it', async () => {
  const root = tree({ 'notes.md': 'nothing to see' });
  for (const format of DATASET_FORMATS) {
    for (const path of [root, `${root}/notes.md`]) {
      await assert.rejects(readDataset(path, { format }), (error: unknown) => {
        assert.ok(error instanceof ChronotopeError, `${format}: ${String((error as Error).stack)}`);
        return true;
      });
    }
  }
});
