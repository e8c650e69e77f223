// Lays the real data sets of docs/results.md out as class folders (links), the form that `chronotope train` reads.
// usage: node bench/real-data.mjs egogestar <data folder> <out folder>
//        node bench/real-data.mjs egogestar-fold <data folder> <out folder>     training part only, to choose settings on
//        node bench/real-data.mjs fight-surv <data folder> <out folder>         test on other scenes: fight-surv-2, fight-surv-3
//        node bench/real-data.mjs weizmann4 <data folder> <out folder>          other persons: weizmann4-2, weizmann4-3
//        node bench/real-data.mjs tracking <data folder> <out folder>           train on one sequence, test on the other
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const [dataset, source, ...rest] = process.argv.slice(2);

function link(file, out, ...folders) {
  const target = path.join(out, ...folders);
  mkdirSync(target, { recursive: true });
  symlinkSync(path.resolve(source, file), path.join(target, linkName(file)));
}

function linkName(file) {
  return file.replaceAll('/', '_');
}

function lines(file) {
  return readFileSync(path.join(source, file), 'utf8').trim().split(/\r?\n/);
}

function clips() {
  const [head, ...rows] = lines('clips.csv').map((line) => line.split(','));
  return rows.map((row) => Object.fromEntries(head.map((name, column) => [name, row[column]])));
}

/** The largest group of scenes is held out; the test part is not touched. */
function egogestarFold(out) {
  for (const clip of clips()) {
    if (clip.split !== 'train') continue;
    if (clip.group !== 'office') link(clip.path, out, clip.label || '_unlabelled');
    else if (clip.label) link(clip.path, out, '_test', clip.label);
  }
}

function egogestar(out) {
  for (const clip of clips()) {
    if (clip.split === 'test') link(clip.path, out, 'videos', '_test', clip.label);
    if (clip.split === 'train') link(clip.path, out, 'videos', clip.label || '_unlabelled');
  }
  const labelled = clips().filter(({ split, few, label }) => split === 'train' && few !== '' && label !== '');
  for (const budget of [1, 2, 5]) {
    const known = labelled.filter(({ few }) => Number(few) <= budget);
    writeLabels(out, budget, known);
  }
}

/** One fold is for testing; in the others labels are given scene by scene, as somebody would who watches recordings. */
const fightSurv = (fold) => (out) => {
  const known = { fight: [], noFight: [] };
  for (const { path: file, class: label, ...clip } of clips()) {
    const isTest = clip.fold === String(fold);
    link(file, out, 'videos', ...(isTest ? ['_test'] : []), label);
    if (!isTest) known[label].push({ path: file, label, scene: Number(clip.scene) });
  }
  for (const list of Object.values(known)) list.sort((a, b) => a.scene - b.scene);
  for (const budget of [6, 12, 24]) {
    writeLabels(
      out,
      budget,
      Object.values(known).flatMap((list) => list.slice(0, budget)),
    );
  }
};

/** The labels of a budget, so that all budgets are runs on the same videos. */
function writeLabels(out, budget, known) {
  const rows = known.map(({ path: file, label }) => `${label}/${linkName(file)},${label}`);
  writeFileSync(path.join(out, `labels-${budget}.csv`), `path,label\n${rows.join('\n')}\n`);
}

/** Three persons are for testing, one has labels; the published rounds differ in which. */
const weizmann4 = (round) => (out) => {
  const files = (name) => lines(`splits/semi_${round}_${name}.txt`).map((line) => line.split(' ')[0]);
  for (const file of files('labeled_1person')) link(file, out, path.dirname(file));
  for (const file of files('unlabeled_1person')) link(file, out, '_unlabelled');
  for (const file of files('test')) link(file, out, '_test', path.dirname(file));
};

/** Two sequences of OTB in the layout of GOT-10k. */
function tracking(out) {
  for (const [part, name] of [
    ['train', 'Crossing'],
    ['val', 'DragonBaby'],
  ]) {
    const folder = path.join(out, part, name);
    mkdirSync(folder, { recursive: true });
    for (const image of readdirSync(path.join(source, name, 'img'))) {
      symlinkSync(path.resolve(source, name, 'img', image), path.join(folder, image.padStart(12, '0')));
    }
    const boxes = lines(`${name}/groundtruth_rect.txt`).map((line) =>
      line
        .trim()
        .split(/[\s,]+/)
        .join(','),
    );
    writeFileSync(path.join(folder, 'groundtruth.txt'), `${boxes.join('\n')}\n`);
    writeFileSync(path.join(out, part, 'list.txt'), `${name}\n`);
  }
}

const layouts = {
  egogestar,
  'egogestar-fold': egogestarFold,
  'fight-surv': fightSurv(1),
  'fight-surv-2': fightSurv(2),
  'fight-surv-3': fightSurv(3),
  weizmann4: weizmann4(1),
  'weizmann4-2': weizmann4(2),
  'weizmann4-3': weizmann4(3),
  tracking,
};
if (dataset in layouts && rest.length === 1) layouts[dataset](rest[0]);
else {
  console.error(`usage: node bench/real-data.mjs ${Object.keys(layouts).join('|')} <data folder> <out folder>`);
  process.exitCode = 2;
}
