import { readClassFolders } from '../class-folders.js';
import { isVideo, walkFiles } from '../folders.js';
import { type DatasetReader, makeDataset, type Source } from './dataset.js';

/** `<class>/*.mp4`, with `_unlabelled/` and `_test/<class>/`; see {@link readClassFolders}. */
export const classFolders: DatasetReader = {
  format: 'class-folders',
  general: true,
  recognise(source) {
    const folder = source.folders.find((name) => holdsVideos(source, name));
    return folder === undefined ? null : `videos in the folder ${folder}/`;
  },
  read(source) {
    const { entries, classes, ignored, warnings } = readClassFolders(source.path, { withoutClasses: true });
    const notes = [...warnings];
    if (ignored.length > 0) {
      notes.push(`${ignored.length} files are no videos, for example ${ignored[0]}`);
    }
    return makeDataset('class-folders', source, { entries, classes, notes });
  },
};

function holdsVideos(source: Source, folder: string): boolean {
  return walkFiles(source.path, folder).some(isVideo);
}
