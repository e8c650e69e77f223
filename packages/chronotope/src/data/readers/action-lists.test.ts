import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { empty, fileTrees, images } from '../../testing/file-tree.js';
import { type ReadDatasetOptions, readDataset } from './read-dataset.js';

const tree = fileTrees();

const brief = async (path: string, options?: ReadDatasetOptions) => {
  const dataset = await readDataset(path, options);
  return { ...dataset, lines: dataset.entries.map(({ id, label, split, group }) => [id, label, split, group]) };
};

/** Checks that each change of one file makes an error that names the file and the line. */
async function rejects(
  good: Record<string, string>,
  file: string,
  cases: [content: string, line: number | null, message: RegExp][],
) {
  for (const [content, line, message] of cases) {
    await assert.rejects(
      readDataset(tree({ ...good, [file]: content })),
      (error: Error & { code?: string; details?: { line: number | null } }) => {
        assert.equal(error.code, 'malformed-line', error.message);
        assert.equal(error.details?.line, line, error.message);
        assert.ok(error.message.includes(file), error.message);
        assert.match(error.message, message);
        return true;
      },
    );
  }
}

const ucf = {
  'ucfTrainTestlist/classInd.txt': '1 Jump\r\n2 WaveHands\r\n',
  'ucfTrainTestlist/trainlist01.txt':
    'Jump/v_Jump_g08_c01.avi 1\r\nJump/v_Jump_g08_c02.avi 1\r\nWaveHands/v_WaveHands_g09_c01.avi 2\r\n',
  'ucfTrainTestlist/testlist01.txt': 'Jump/v_Jump_g01_c01.avi\r\n\r\n',
  'ucfTrainTestlist/trainlist02.txt': 'Jump/v_Jump_g01_c01.avi 1\n',
  'ucfTrainTestlist/testlist02.txt': 'Jump/v_Jump_g08_c01.avi\n',
};

test('UCF101: official lists, groups from the names, videos converted to another container', async () => {
  const videos = empty(
    'UCF-101/Jump/v_Jump_g08_c01.avi',
    'UCF-101/Jump/v_Jump_g01_c01.mp4',
    'UCF-101/WaveHands/v_WaveHands_g09_c01.avi',
  );
  const root = tree({ ...ucf, ...videos });
  const first = await brief(root);
  assert.equal(first.format, 'ucf101');
  assert.match(first.recognisedBy!, /ucfTrainTestlist/);
  assert.deepEqual(first.lines, [
    ['Jump/v_Jump_g08_c01.avi', 'Jump', 'train', 'Jump/g08'],
    ['WaveHands/v_WaveHands_g09_c01.avi', 'WaveHands', 'train', 'WaveHands/g09'],
    ['Jump/v_Jump_g01_c01.mp4', 'Jump', 'test', 'Jump/g01'],
  ]);
  assert.equal(first.entries[0]!.path, join(root, 'UCF-101/Jump/v_Jump_g08_c01.avi'));
  assert.deepEqual(first.classes, ['Jump', 'WaveHands']);
  assert.deepEqual(first.missing, { count: 1, first: ['Jump/v_Jump_g08_c02.avi'] });

  const second = await brief(root, { fold: 2 });
  assert.deepEqual(
    second.lines.map(([id, , split]) => [id, split]),
    [
      ['Jump/v_Jump_g01_c01.mp4', 'train'],
      ['Jump/v_Jump_g08_c01.avi', 'test'],
    ],
  );
  await assert.rejects(readDataset(root, { fold: 4 }), { code: 'unknown-fold', message: /trainlist04/ });
});

test('UCF101: without any video it is an error that names one; the entries can be kept', async () => {
  const root = tree(ucf);
  await assert.rejects(readDataset(root), {
    code: 'all-missing',
    message: /none of the 4 .* Jump\/v_Jump_g08_c01\.avi/,
  });
  const kept = await brief(root, { missing: 'keep', videos: '/data/ucf' });
  assert.deepEqual([kept.entries.length, kept.missing.count], [4, 4]);
  assert.equal(kept.entries[0]!.path, '/data/ucf/Jump/v_Jump_g08_c01.avi');
});

test('UCF101: malformed lines', async () => {
  await rejects(ucf, 'ucfTrainTestlist/classInd.txt', [
    ['1 Jump\n3 WaveHands\n', 2, /expected "2 <class>", got "3 WaveHands"/],
    ['Jump\n', 1, /expected "1 <class>"/],
  ]);
  await rejects(ucf, 'ucfTrainTestlist/trainlist01.txt', [
    ['Jump/v_Jump_g08_c01.avi 1\n\nJump/v_Jump_g08_c02.avi\n', 3, /<number of the class>/],
    ['Jump/v_Jump_g08_c01.avi 2\n', 1, /expected 1, the number of "Jump", got 2/],
    ['Fly/v_Fly_g08_c01.avi 1\n', 1, /expected a class of classInd\.txt, got "Fly"/],
    ['Jump/jump.avi 1\n', 1, /_gNN_cNN/],
  ]);
  await rejects(ucf, 'ucfTrainTestlist/testlist01.txt', [['Jump/v_Jump_g01_c01.avi 1\n', 1, /expected "<class>/]]);
});

const hmdb = {
  'testTrainMulti_7030_splits/wave_test_split1.txt':
    '20060723sfjff_wave_f_cm_np1_ba_med_0.avi 2 \n21_wave_u_nm_np1_fr_goo_5.avi 1 \n21_wave_u_nm_np1_fr_goo_6.avi 1 \nWaving_#1_wave_u_nm_np1_fr_goo_0.avi 0 \n',
  'testTrainMulti_7030_splits/sit_test_split1.txt': 'My_sit_down_sit_f_nm_np2_le_bad_3.avi 1 \n',
};

test('HMDB51: 1 is training, 2 is test, 0 is neither; the source video is the group', async () => {
  const clips = empty(
    'wave/20060723sfjff_wave_f_cm_np1_ba_med_0.avi',
    'wave/21_wave_u_nm_np1_fr_goo_5.avi',
    'wave/21_wave_u_nm_np1_fr_goo_6.avi',
    'wave/Waving_#1_wave_u_nm_np1_fr_goo_0.avi',
    'sit/My_sit_down_sit_f_nm_np2_le_bad_3.avi',
  );
  const { format, lines, classes, notes } = await brief(tree({ ...hmdb, ...clips }));
  assert.equal(format, 'hmdb51');
  assert.deepEqual(classes, ['sit', 'wave']);
  assert.deepEqual(
    lines.map(([id, , split, group]) => [id!.slice(id!.lastIndexOf('/') + 1, -4), split, group]),
    [
      ['My_sit_down_sit_f_nm_np2_le_bad_3', 'train', 'sit/My_sit_down'],
      ['20060723sfjff_wave_f_cm_np1_ba_med_0', 'test', 'wave/20060723sfjff'],
      ['21_wave_u_nm_np1_fr_goo_5', 'train', 'wave/21'],
      ['21_wave_u_nm_np1_fr_goo_6', 'train', 'wave/21'],
      ['Waving_#1_wave_u_nm_np1_fr_goo_0', 'unused', 'wave/Waving_#1'],
    ],
  );
  assert.match(notes[0]!, /1 clips are in neither part/);
  await rejects(hmdb, 'testTrainMulti_7030_splits/sit_test_split1.txt', [
    ['a_sit.avi 1\nb_sit.avi 3\n', 2, /expected "<clip>\.avi" and 0, 1 or 2, got "b_sit\.avi 3"/],
    ['a_sit.avi\n', 1, /got "a_sit\.avi"/],
  ]);
});

const HEADER = 'label,youtube_id,time_start,time_end,split\n';

test('Kinetics: names of the downloaders, quoted classes, whole videos as clips', async () => {
  const root = tree({
    'train.csv': `\uFEFF${HEADER}air drumming,-0OBFVHQ3X0,82,92,train\r\n"dancing, charleston",--3bxL3wMyY,10,20,train\r\nabseiling,AAAAAAAAAAA,0,10,train\r\nabseiling,BBBBBBBBBBB,3,13,train\r\n`,
    'validate.csv': `${HEADER}air drumming,CCCCCCCCCCC,1,11,validate\n`,
    'test.csv': 'youtube_id,time_start,time_end,split\nDDDDDDDDDDD,1,11,test\n',
    ...empty(
      'train/air drumming/-0OBFVHQ3X0_000082_000092.mp4',
      'train/dancing,_charleston/--3bxL3wMyY_000010_000020.mkv',
      'val/CCCCCCCCCCC_000001_000011.mp4',
      'abseiling/AAAAAAAAAAA.mp4',
      'test/DDDDDDDDDDD_000001_000011.mp4',
    ),
  });
  const { format, lines, entries, missing } = await brief(root);
  assert.equal(format, 'kinetics');
  assert.deepEqual(lines, [
    ['test/DDDDDDDDDDD_000001_000011.mp4', null, 'test', 'DDDDDDDDDDD'],
    ['train/air drumming/-0OBFVHQ3X0_000082_000092.mp4', 'air drumming', 'train', '-0OBFVHQ3X0'],
    ['train/dancing,_charleston/--3bxL3wMyY_000010_000020.mkv', 'dancing, charleston', 'train', '--3bxL3wMyY'],
    ['abseiling/AAAAAAAAAAA.mp4#0-10', 'abseiling', 'train', 'AAAAAAAAAAA'],
    ['val/CCCCCCCCCCC_000001_000011.mp4', 'air drumming', 'validation', 'CCCCCCCCCCC'],
  ]);
  assert.deepEqual(entries[3]!.clip, { unit: 'seconds', start: 0, end: 10 });
  assert.equal(missing.count, 1);
});

test('Kinetics: malformed lines', async () => {
  await rejects({}, 'train.csv', [
    [`${HEADER}a,short,1,11,train\n`, 2, /YouTube id of 11 characters, got "short"/],
    [`${HEADER}a,AAAAAAAAAAA,1,11,train\nb,BBBBBBBBBBB,11,1,train\n`, 3, /got "11" to "1"/],
    [`${HEADER}a,AAAAAAAAAAA,,11,train\n`, 2, /expected seconds/],
    [`${HEADER}a,AAAAAAAAAAA,1,11,holdout\n`, 2, /got "holdout"/],
    [`${HEADER}dancing, charleston,AAAAAAAAAAA,1,11,train\n`, 2, /expected 5 fields, got 6/],
    ['youtube_id,time_start\nAAAAAAAAAAA,1\n', 1, /expected a column "time_end"/],
  ]);
});

const ssv2 = {
  'something-something-v2-labels.json': '{"Closing something":"0","Putting something on something":"1"}',
  'something-something-v2-train.json':
    '[{"id":"78","label":"putting a cup on a book","template":"Putting [something] on [something]","placeholders":["a cup","a book"]}]',
  'something-something-v2-validation.json':
    '[{"id":"9","label":"closing a box","template":"Closing [something]","placeholders":["a box"]}]',
  'something-something-v2-test.json': '[{"id":"5"},{"id":"6"}]',
};

test('Something-Something v2: templates are classes, sentences are kept', async () => {
  const videos = empty(
    '20bn-something-something-v2/78.webm',
    '20bn-something-something-v2/9.mp4',
    '20bn-something-something-v2/5.webm',
  );
  const { format, entries, classes, missing } = await brief(tree({ ...ssv2, ...videos }));
  assert.equal(format, 'something-something');
  assert.deepEqual(classes, ['Closing something', 'Putting something on something']);
  assert.deepEqual(
    entries.map(({ id, label, split, text }) => [id, label, split, text]),
    [
      ['78.webm', 'Putting something on something', 'train', 'putting a cup on a book'],
      ['9.mp4', 'Closing something', 'validation', 'closing a box'],
      ['5.webm', null, 'test', undefined],
    ],
  );
  assert.deepEqual(missing, { count: 1, first: ['6.webm'] });
  await rejects(ssv2, 'something-something-v2-train.json', [
    [
      '[{"id":"1","label":"x","template":"Eating [something]"}]',
      null,
      /entry 1 \(video 1\): "Eating something" is no class/,
    ],
    ['[{"id":"1","template":"Closing [something]"},{"label":"x"}]', null, /entry 2: "id"/],
    ['[{"id":"1"}]', null, /expected a "template"/],
    ['{"id":"1"}', null, /expected a list/],
    ['[\n{"id":"1",}]', 2, /not JSON/],
  ]);
  await rejects(ssv2, 'something-something-v2-labels.json', [
    ['{"Closing something":"1"}', null, /expected class number 0, got 1/],
  ]);
});

const jesterLists = {
  'jester-v1-labels.csv': 'Swiping Left\nNo gesture\n',
  'jester-v1-train.csv': '34870;No gesture\n56557;Swiping Left\n',
  'jester-v1-validation.csv': '9223;Swiping Left\n',
  'jester-v1-test.csv': '1\n',
};

test('Jester: lists with semicolons, videos as folders of frames', async () => {
  const root = tree({
    ...jesterLists,
    ...images('20bn-jester-v1/34870', 37),
    ...images('20bn-jester-v1/9223', 2),
    ...images('20bn-jester-v1/1', 3),
  });
  const { format, lines, entries, classes, missing } = await brief(root);
  assert.equal(format, 'jester');
  assert.deepEqual(lines, [
    ['34870', 'No gesture', 'train', undefined],
    ['9223', 'Swiping Left', 'validation', undefined],
    ['1', null, 'test', undefined],
  ]);
  assert.deepEqual(entries[0]!.frames, { pattern: '%05d.jpg', first: 1, count: 37 });
  assert.deepEqual(classes, ['Swiping Left', 'No gesture']);
  assert.deepEqual(missing, { count: 1, first: ['56557'] });
  await rejects(jesterLists, 'jester-v1-train.csv', [
    ['1;No gesture\n2,Swiping Left\n', 2, /expected "<number>;<class>", got "2,Swiping Left"/],
    ['1;Waving\n', 1, /expected a class of the labels list, got "Waving"/],
    ['1\n', 1, /<class>/],
  ]);
});
