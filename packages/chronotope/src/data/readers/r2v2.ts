import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { groupBy } from '../group-by.js';
import type { ManifestEntry, Split } from '../manifest.js';
import { type DatasetReader, makeDataset, nothingFound, type Source } from './dataset.js';
import { sortFrames } from './frame-files.js';
import { malformed } from './lines.js';

const FRAME_NAME = /^([\w-]{11})_(\d{6})\.jpg$/;

/** Mostly 5 seconds lie between two frames: 150 at 30 a second. */
const IMAGES_A_SECOND = 1 / 5;

/**
 * R2V2 (Random Related Video Views, Gordon et al. 2020): a few frames of each of many YouTube videos, as
 * `[train|val/]<first two characters of the id>/<id>_<number of the frame>.jpg`. One entry a video, without labels.
 */
export const r2v2: DatasetReader = {
  format: 'r2v2',
  general: false,
  recognise(source) {
    for (const { folder } of partsOf(source)) {
      const prefix = prefixFolders(folder)[0];
      const image =
        prefix === undefined ? undefined : readdirSync(join(folder, prefix)).find((name) => FRAME_NAME.test(name));
      if (image?.startsWith(prefix!)) return `the frame ${prefix}/${image}`;
    }
    return null;
  },
  read(source) {
    const entries = partsOf(source).flatMap(({ folder, split }) => readPart(folder, split));
    if (entries.length === 0) {
      throw nothingFound('r2v2', source, 'frames as <2 characters>/<11-character id>_<6-digit number>.jpg');
    }
    return makeDataset('r2v2', source, { entries });
  },
};

/** The folders train/ and val/, or the source itself. */
function partsOf(source: Source): { folder: string; split: Split }[] {
  if (source.kind === 'file') return [];
  const parts = [
    { name: 'train', split: 'train' as const },
    { name: 'val', split: 'validation' as const },
  ].filter(({ name }) => source.folders.includes(name));
  return parts.length === 0
    ? [{ folder: source.path, split: 'train' }]
    : parts.map(({ name, split }) => ({ folder: join(source.path, name), split }));
}

function readPart(root: string, split: Split): ManifestEntry[] {
  return prefixFolders(root).flatMap((prefix) => {
    const folder = join(root, prefix);
    const images = readdirSync(folder).filter((file) => file.endsWith('.jpg'));
    const framesOf = groupBy(images, (name) => {
      const id = FRAME_NAME.exec(name)?.[1];
      if (id === undefined || !id.startsWith(prefix)) {
        throw malformed(join(folder, name), null, `expected a name like ${prefix}<9 characters>_<6 digits>.jpg`);
      }
      return id;
    });
    return [...framesOf.keys()].sort().map((id) => ({
      id,
      path: folder,
      label: null,
      split,
      frames: { files: sortFrames(framesOf.get(id)!) },
      imageFps: IMAGES_A_SECOND,
    }));
  });
}

/** Ids may begin with a dash or an underscore, never with a dot. */
function prefixFolders(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => /^[\w-]{2}$/.test(entry.name) && !entry.isFile())
    .map(({ name }) => name)
    .sort();
}
