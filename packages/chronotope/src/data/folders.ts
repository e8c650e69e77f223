import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { ChronotopeError } from '../errors.js';

/** File name extensions taken for videos, lower case. */
export const VIDEO_EXTENSIONS: ReadonlySet<string> = new Set([
  '.3gp',
  '.asf',
  '.avi',
  '.flv',
  '.gif',
  '.m2ts',
  '.m4v',
  '.mkv',
  '.mov',
  '.mp4',
  '.mpeg',
  '.mpg',
  '.mts',
  '.ogv',
  '.ts',
  '.webm',
  '.wmv',
]);

/** File name extensions taken for images, lower case. */
export const IMAGE_EXTENSIONS: ReadonlySet<string> = new Set([
  '.bmp',
  '.jpeg',
  '.jpg',
  '.png',
  '.ppm',
  '.tif',
  '.tiff',
  '.webp',
]);

/** Whether a file's name has the extension of a video. */
export function isVideo(name: string): boolean {
  return VIDEO_EXTENSIONS.has(extname(name).toLowerCase());
}

/** Whether a file's name has the extension of an image. */
export function isImage(name: string): boolean {
  return IMAGE_EXTENSIONS.has(extname(name).toLowerCase());
}

/**
 * All visible files below a folder of a data set, sorted, as paths relative to `root` with `/` between the parts.
 * Symbolic links are followed; one that leads back to a folder it lies in is not entered again.
 *
 * @param folder relative to `root`; empty for `root` itself
 */
export function walkFiles(root: string, folder: string): string[] {
  const found: string[] = [];
  const visit = (relative: string, ancestors: ReadonlySet<string>): void => {
    const real = realpathSync(join(root, relative));
    if (ancestors.has(real)) {
      return;
    }
    const { folders, files } = listFolder(root, relative);
    for (const name of files) {
      found.push(below(relative, name));
    }
    for (const name of folders) {
      visit(below(relative, name), new Set([...ancestors, real]));
    }
  };
  visit(folder, new Set());
  return found.sort();
}

/** `name` inside `folder`, both relative to the data folder. */
export function below(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** Names of the visible folders and files directly in a folder. */
export interface Listing {
  folders: string[];
  files: string[];
}

/**
 * The visible folders and files of one folder, sorted. A symbolic link counts as what it points to.
 *
 * @throws ChronotopeError `folder-missing`, `folder-unreadable`
 */
export function listFolder(root: string, relative = ''): Listing {
  const folder = join(root, relative);
  let names: Dirent[];
  try {
    names = readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    throw folderError(folder, cause as NodeJS.ErrnoException);
  }
  const listing: Listing = { folders: [], files: [] };
  for (const entry of names) {
    if (entry.name.startsWith('.')) {
      continue;
    }
    const target = entry.isSymbolicLink() ? linkTarget(join(folder, entry.name)) : entry;
    if (target?.isDirectory()) {
      listing.folders.push(entry.name);
    } else if (target === null || target.isFile()) {
      // A link to nothing counts as a file, so that whoever opens it reports it.
      listing.files.push(entry.name);
    }
  }
  listing.folders.sort();
  listing.files.sort();
  return listing;
}

/** What a symbolic link points to, or `null` for nothing: no such file, or a chain of links that bites its tail. */
function linkTarget(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function folderError(folder: string, cause: NodeJS.ErrnoException): ChronotopeError {
  const details = { folder };
  if (cause.code === 'ENOENT') {
    return new ChronotopeError('folder-missing', `the folder ${folder} does not exist`, {
      hint: 'Check the path.',
      details,
      cause,
    });
  }
  if (cause.code === 'ENOTDIR') {
    return new ChronotopeError('folder-missing', `${folder} is a file, not a folder`, {
      hint: 'Give the folder that holds the videos.',
      details,
      cause,
    });
  }
  return new ChronotopeError('folder-unreadable', `cannot read the folder ${folder}: ${cause.message}`, {
    hint: 'Check the permission to read it.',
    details,
    cause,
  });
}
