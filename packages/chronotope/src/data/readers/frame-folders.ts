import { join } from 'node:path';
import { type DatasetReader, makeDataset, nothingFound, type Source } from './dataset.js';
import { describeFrames } from './frame-files.js';
import { type ImageLeaf, imageLeaves } from './image-leaves.js';

/** Videos that lie on the disk as folders of images: `[train|val|test/][<class>/]<video>/<number>.jpg`. */
export const frameFolders: DatasetReader = {
  format: 'frame-folders',
  general: true,
  recognise(source) {
    if (source.kind === 'file') return null;
    const video = videosIn(source).find(({ parts, images }) => parts.length >= 2 || isNumbered(images));
    return video === undefined ? null : `the numbered images in ${video.folder}/`;
  },
  read(source) {
    const videos = videosIn(source);
    if (videos.length === 0) {
      throw nothingFound(
        'frame-folders',
        source,
        'a folder with one folder of images a video, or such folders in class folders',
      );
    }
    const entries = videos.map(({ folder, images, split, parts }) => ({
      id: folder,
      path: join(source.path, ...folder.split('/')),
      label: parts.length >= 2 ? parts[0]! : null,
      split,
      frames: describeFrames(images),
    }));
    return makeDataset('frame-folders', source, { entries });
  },
};

function videosIn(source: Source): ImageLeaf[] {
  return imageLeaves(source.path).filter(({ parts }) => parts.length > 0);
}

/** Several images, numbered without a gap: how frames are written, and seldom how photographs are. */
function isNumbered(images: readonly string[]): boolean {
  return images.length > 1 && 'pattern' in describeFrames(images);
}
