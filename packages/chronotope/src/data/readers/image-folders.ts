import { join } from 'node:path';
import { type DatasetReader, makeDataset, nothingFound, type Source } from './dataset.js';
import { type ImageLeaf, imageLeaves } from './image-leaves.js';

/**
 * Single images in class folders, as ImageNet has them: `[train|val|test/]<class>/*.jpg`. Images directly in `val/` or
 * `test/` have no label.
 */
export const imageFolders: DatasetReader = {
  format: 'image-folders',
  general: true,
  recognise(source) {
    if (source.kind === 'file') return null;
    const leaf = classFoldersIn(source).find(({ parts }) => parts.length === 1);
    return leaf === undefined ? null : `the images in the folder ${leaf.folder}/`;
  },
  read(source) {
    const folders = classFoldersIn(source);
    if (folders.length === 0) {
      throw nothingFound('image-folders', source, 'a folder with one folder of images a class');
    }
    const entries = folders.flatMap(({ folder, images, split, parts }) =>
      images.map((name) => ({
        id: `${folder}/${name}`,
        path: join(source.path, ...folder.split('/'), name),
        label: parts[0] ?? null,
        split,
      })),
    );
    return makeDataset('image-folders', source, { entries });
  },
};

function classFoldersIn(source: Source): ImageLeaf[] {
  return imageLeaves(source.path).filter(({ parts, splitFolder }) => parts.length > 0 || splitFolder);
}
