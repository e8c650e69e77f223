import { join } from 'node:path';
import { isVideo, walkFiles } from '../folders.js';
import { type DatasetReader, makeDataset, nothingFound } from './dataset.js';

/** A folder of videos without labels, nested or not: all of them unlabelled training videos. */
export const flatVideos: DatasetReader = {
  format: 'videos',
  general: true,
  recognise(source) {
    const videos = source.files.filter(isVideo);
    return source.kind === 'folder' && videos.length > 0 ? `the video ${videos[0]} directly in the folder` : null;
  },
  read(source) {
    const videos = walkFiles(source.path, '').filter(isVideo);
    if (videos.length === 0) {
      throw nothingFound('videos', source, 'a folder with video files in it');
    }
    const entries = videos.map((id) => ({
      id,
      path: join(source.path, ...id.split('/')),
      label: null,
      split: 'train' as const,
    }));
    return makeDataset('videos', source, { entries });
  },
};
