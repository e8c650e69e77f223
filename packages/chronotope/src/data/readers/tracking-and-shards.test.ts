import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Header, pack } from 'tar-stream';
import { empty, fileTrees, images } from '../../testing/file-tree.js';
import { readGolden } from '../../testing/golden.js';
import { framePaths } from '../manifest.js';
import { readDataset } from './read-dataset.js';
import { indexTar, readTarMember } from './tar-index.js';

const tree = fileTrees();

const lines = (count: number, line: string): string => `${Array.from({ length: count }, () => line).join('\n')}\n`;

async function rejects(files: Record<string, string | Buffer>, line: number | null, message: RegExp): Promise<void> {
  await assert.rejects(
    readDataset(tree(files)),
    (error: Error & { code?: string; details?: { line: number | null } }) => {
      assert.equal(error.code, 'malformed-line', error.message);
      assert.equal(error.details?.line, line, error.message);
      assert.match(error.message, message);
      return true;
    },
  );
}

test('OTB: comma, tab and blank, attributes, two objects, an empty file, a folder inside its own name', async () => {
  const root = tree({
    ...images('Crossing/img', 3, { width: 4 }),
    'Crossing/groundtruth_rect.txt': '205\t151\t17\t50\n202,150,19,49\n 1.5 2  3 4\n',
    ...images('Jogging/img', 2, { width: 4 }),
    'Jogging/groundtruth_rect.1.txt': '1,2,3,4\n1,2,3,5\n',
    'Jogging/groundtruth_rect.2.txt': '5,6,7,8\n5,6,7,9\n',
    'Jogging/attrs.txt': 'OCC, DEF, OPR\n',
    ...images('Human4/Human4/img', 1, { width: 4 }),
    'Human4/Human4/groundtruth_rect1.txt': '',
    'Human4/Human4/groundtruth_rect.2.txt': '1,2,3,4\n',
    ...images('Board/img', 2),
    'Board/groundtruth_rect.txt': lines(2, '1,2,3,4'),
    ...images('BlurCar1/img', 2, { first: 247, width: 4 }),
    'BlurCar1/groundtruth_rect.txt': lines(2, '1 2 3 4'),
    ...empty('__MACOSX/x.txt', 'Crossing/cfg.mat'),
  });
  const { format, entries, notes } = await readDataset(root);
  assert.equal(format, 'otb');
  assert.deepEqual(
    entries.map(({ id, split, group }) => [id, split, group]),
    [
      ['BlurCar1', 'test', 'BlurCar1'],
      ['Board', 'test', 'Board'],
      ['Crossing', 'test', 'Crossing'],
      ['Human4-2', 'test', 'Human4'],
      ['Jogging-1', 'test', 'Jogging'],
      ['Jogging-2', 'test', 'Jogging'],
    ],
  );
  const of = (id: string) => entries.find((entry) => entry.id === id)!;
  assert.deepEqual(of('Crossing').tracking, {
    boxes: [
      [205, 151, 17, 50],
      [202, 150, 19, 49],
      [1.5, 2, 3, 4],
    ],
  });
  assert.deepEqual(of('Jogging-2').tracking, {
    boxes: [
      [5, 6, 7, 8],
      [5, 6, 7, 9],
    ],
    attributes: ['OCC', 'DEF', 'OPR'],
  });
  assert.deepEqual(of('Board').frames, { pattern: 'img/%05d.jpg', first: 1, count: 2 });
  assert.deepEqual(of('BlurCar1').frames, { pattern: 'img/%04d.jpg', first: 247, count: 2 });
  assert.equal(framePaths(of('Human4-2'))[0], join(root, 'Human4/Human4/img/0001.jpg'));
  assert.deepEqual(notes, ['Human4/groundtruth_rect1.txt is empty: left out']);
});

test('OTB: the five sequences of which only a part has boxes', async () => {
  const root = tree({
    ...images('David/img', 770, { width: 4 }),
    'David/groundtruth_rect.txt': lines(471, '129,80,64,78'),
    ...images('Football1/img', 81, { width: 4 }),
    'Football1/groundtruth_rect.txt': lines(74, '1\t2\t3\t4'),
  });
  const { entries } = await readDataset(root);
  assert.deepEqual(
    entries.map(({ frames }) => frames),
    [
      { pattern: 'img/%04d.jpg', first: 300, count: 471 },
      { pattern: 'img/%04d.jpg', first: 1, count: 74 },
    ],
  );
});

test('OTB: malformed boxes and wrong numbers of them', async () => {
  const sequence = (boxes: string) => ({ ...images('Boy/img', 2, { width: 4 }), 'Boy/groundtruth_rect.txt': boxes });
  await rejects(sequence('1,2,3,4\n1,2,3\n'), 2, /expected four numbers, .* got "1,2,3"/);
  await rejects(sequence('1,2,3,4\n\n1,2,x,4\n'), 3, /got "1,2,x,4"/);
  await rejects(sequence('1,2,3,4\n1,2,-3,4\n'), 2, /width/);
  await rejects(sequence('1,2,3,4\n'), null, /expected 2 boxes, one for each image, got 1/);
});

test('GOT-10k: subsets, cover, object class, source video as group; the test part shows one box', async () => {
  const sequence = (folder: string, count: number) => ({
    ...images(folder, count, { width: 8 }),
    [`${folder}/groundtruth.txt`]: lines(count, '347.0000,443.0000,429.0000,272.0000'),
    [`${folder}/cover.label`]: lines(count, '8'),
    [`${folder}/absence.label`]: lines(count, '0'),
    [`${folder}/meta_info.ini`]:
      '[METAINFO]\nurl: https://youtu.be/x\nbegin: 00:00:27\nobject_class: anaconda\nresolution: (1920, 1080)\n',
  });
  const root = tree({
    ...sequence('train/GOT-10k_Train_000001', 3),
    'train/list.txt': 'GOT-10k_Train_000001\nGOT-10k_Train_000002\n',
    ...sequence('val/GOT-10k_Val_000001', 2),
    ...sequence('test/GOT-10k_Test_000001', 2),
    'test/GOT-10k_Test_000001/groundtruth.txt': '1,2,3,4\n',
  });
  const { format, entries, missing } = await readDataset(root);
  assert.equal(format, 'got10k');
  assert.deepEqual(
    entries.map(({ id, split }) => [id, split]),
    [
      ['train/GOT-10k_Train_000001', 'train'],
      ['val/GOT-10k_Val_000001', 'validation'],
      ['test/GOT-10k_Test_000001', 'test'],
    ],
  );
  assert.deepEqual(missing, { count: 1, first: ['train/GOT-10k_Train_000002'] });
  const [train, , hidden] = entries;
  assert.deepEqual([train!.label, train!.group], ['anaconda', 'https://youtu.be/x']);
  assert.deepEqual(train!.frames, { pattern: '%08d.jpg', first: 1, count: 3 });
  assert.deepEqual(train!.tracking!.cover, [8, 8, 8]);
  assert.deepEqual(train!.tracking!.boxes[0], [347, 443, 429, 272]);
  assert.equal(hidden!.tracking!.boxes.length, 1);

  const alone = sequence('GOT-10k_Val_000001', 2);
  await rejects({ ...alone, 'GOT-10k_Val_000001/cover.label': '8\n9\n' }, 2, /0 to 8, got "9"/);
  await rejects({ ...alone, 'GOT-10k_Val_000001/cover.label': '8\n' }, null, /expected 2 lines/);
  await rejects({ ...alone, 'GOT-10k_Val_000001/groundtruth.txt': '1,2,3,4\n1;2;3;4\n' }, 2, /four numbers/);
  await rejects({ ...alone, 'GOT-10k_Val_000001/groundtruth.txt': '1,2,3,4\n' }, null, /expected 2 boxes/);
});

test('R2V2: one entry a video, as the official code indexes it', async () => {
  const golden = readGolden<{ files: string[]; index: [id: string, frames: number[]][] }>('data/r2v2_index.json');
  const root = tree(empty(...[...golden.files].reverse()));
  const { format, entries } = await readDataset(root);
  assert.equal(format, 'r2v2');
  const frame = (path: string): number => Number(path.slice(-10, -4));
  assert.deepEqual(
    entries.map((entry) => [entry.id, framePaths(entry).map(frame)]),
    golden.index,
  );
  assert.deepEqual(entries.flatMap(framePaths).sort(), golden.files.map((file) => join(root, file)).sort());
});

test('R2V2: train and val, and names that do not belong', async () => {
  const root = tree(empty('train/--/--0YwlG-GIM_000149.jpg', 'val/bb/bb345678901_000010.jpg'));
  const { entries } = await readDataset(root);
  assert.deepEqual(
    entries.map(({ id, split }) => [id, split]),
    [
      ['--0YwlG-GIM', 'train'],
      ['bb345678901', 'validation'],
    ],
  );
  const stray = empty('AA/AA2pFq9pFTA_000001.jpg', 'AA/BB2pFq9pFTA_000001.jpg');
  await rejects(stray, null, /expected a name like AA<9 characters>/);
});

type HeaderOf = Partial<Header> & { name: string };

/** A tar archive in memory. */
async function tar(members: [header: HeaderOf, content: string][]): Promise<Buffer> {
  const archive = pack();
  for (const [header, content] of members) archive.entry(header, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

test('tar: offsets lead to the bytes, with long names, folders and empty files in between', async () => {
  const long = `deep/${'x'.repeat(180)}/ü.mp4`;
  const members: [HeaderOf, string][] = [
    [{ name: 'folder', type: 'directory' }, ''],
    [{ name: 'a.mp4' }, 'video a'],
    [{ name: long }, 'v'.repeat(1300)],
    [{ name: 'empty.txt' }, ''],
    [{ name: 'b.cls' }, '3'],
  ];
  const path = join(tree({ 'shard.tar': await tar(members) }), 'shard.tar');
  const index = await indexTar(path);
  assert.deepEqual(
    index.map(({ name }) => name),
    ['a.mp4', long, 'empty.txt', 'b.cls'],
  );
  const contents = await Promise.all(index.map((member) => readTarMember(path, member)));
  assert.deepEqual(contents.map(String), ['video a', 'v'.repeat(1300), '', '3']);
});

test('tar: archives that are cut off, or are none, are errors', async () => {
  const root = tree({
    'whole.tar': await tar([[{ name: 'a.mp4' }, 'v'.repeat(2000)]]),
    'text.tar': 'no archive at all. '.repeat(60),
  });
  const whole = join(root, 'whole.tar');
  truncateSync(whole, 1500);
  await assert.rejects(indexTar(whole), {
    code: 'malformed-line',
    message: /cut off: "a\.mp4" ends at byte 2512, the archive at 1500/,
  });
  truncateSync(whole, 300);
  await assert.rejects(indexTar(whole), { message: /cut off in a header/ });
  await assert.rejects(indexTar(join(root, 'text.tar')), { message: /no tar archive/ });
});

test('WebDataset: samples by name, labels by number, name or JSON, parts by shard, sentences', async () => {
  const root = tree({
    'train-000000.tar': await tar([
      [{ name: '000017.mp4' }, 'VIDEO17'],
      [{ name: '000017.cls' }, '1\n'],
      [{ name: '000017.txt' }, 'a hand waves'],
      [{ name: '000018.small.mp4' }, 'VIDEO18'],
      [{ name: '000018.json' }, '{"label":"jump"}'],
      [{ name: '000019.mp4' }, 'VIDEO19'],
    ]),
    'val-000000.tar': await tar([
      [{ name: 'x.webm' }, 'X'],
      [{ name: 'x.cls' }, 'wave'],
    ]),
    'classnames.txt': 'jump\nwave\n',
  });
  const { format, entries, classes } = await readDataset(root);
  assert.equal(format, 'webdataset');
  assert.deepEqual(classes, ['jump', 'wave']);
  assert.deepEqual(
    entries.map(({ id, label, split, text }) => [id, label, split, text]),
    [
      ['train-000000.tar/000017', 'wave', 'train', 'a hand waves'],
      ['train-000000.tar/000018', 'jump', 'train', undefined],
      ['train-000000.tar/000019', null, 'train', undefined],
      ['val-000000.tar/x', 'wave', 'validation', undefined],
    ],
  );
  const second = entries[1]!;
  assert.equal(String(await readTarMember(second.path, second.archive!)), 'VIDEO18');
  const { offset, size } = second.archive!;
  assert.equal(
    readFileSync(second.path)
      .subarray(offset, offset + size)
      .toString(),
    'VIDEO18',
  );

  await rejects({ 'a.tar': await tar([[{ name: '1.cls' }, '0']]) }, null, /sample "1": expected one video, got 0/);
  const bad: [HeaderOf, string][] = [
    [{ name: '1.mp4' }, 'V'],
    [{ name: '1.cls' }, '7'],
  ];
  await rejects({ 'a.tar': await tar(bad), 'classnames.txt': 'jump\n' }, null, /number of a class below 1, got 7/);
  await rejects(
    {
      'a.tar': await tar([
        [{ name: '1.mp4' }, 'V'],
        [{ name: '1.json' }, '{'],
      ]),
    },
    null,
    /sample "1": expected JSON/,
  );
});

test('tar: an archive that was never closed with zero blocks is read to its end', async () => {
  const root = tree({ 'a.tar': await tar([[{ name: 'a.mp4' }, 'v'.repeat(512)]]) });
  const path = join(root, 'a.tar');
  truncateSync(path, 1024);
  assert.equal((await indexTar(path)).length, 1);
  appendFileSync(path, Buffer.alloc(512));
  assert.equal((await indexTar(path)).length, 1);
  writeFileSync(path, '');
  assert.deepEqual(await indexTar(path), []);
});
