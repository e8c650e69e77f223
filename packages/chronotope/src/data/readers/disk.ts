import { readdirSync } from 'node:fs';
import { extname, join, posix } from 'node:path';
import { isImage, isVideo } from '../folders.js';

/**
 * Answers which file of a folder has a name, reading every folder once: lists of a quarter of a million videos are
 * checked in seconds, also on network file systems.
 */
export class Disk {
  readonly #root: string;
  readonly #folders = new Map<string, FolderNames>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Absolute or current-folder-relative path of a name below the root. */
  path(name: string): string {
    return join(this.#root, ...name.split('/'));
  }

  /** Whether there is a file or folder of exactly this name below the root. */
  has(name: string): boolean {
    return this.#folder(posix.dirname(name)).names.has(posix.basename(name));
  }

  /**
   * The video that a list means: the name itself, or the same name with another extension of a video, because data
   * sets are often converted; `null` when there is none.
   */
  findVideo(name: string): string | null {
    if (this.has(name)) {
      return name;
    }
    const folder = posix.dirname(name);
    const stem = isVideo(name) ? posix.basename(name, extname(name)) : posix.basename(name);
    const found = this.#folder(folder).videoOfStem.get(stem);
    return found === undefined ? null : posix.join(folder, found);
  }

  /** Names of the images directly in a folder below the root, sorted; empty when there is no such folder. */
  images(folder: string): string[] {
    return listNames(this.path(folder))
      .filter((name) => !name.startsWith('.') && isImage(name))
      .sort();
  }

  #folder(folder: string): FolderNames {
    const known = this.#folders.get(folder);
    if (known !== undefined) {
      return known;
    }
    const names = listNames(this.path(folder));
    const read = {
      names: new Set(names),
      videoOfStem: new Map(names.filter(isVideo).map((name) => [posix.basename(name, extname(name)), name])),
    };
    this.#folders.set(folder, read);
    return read;
  }
}

interface FolderNames {
  names: ReadonlySet<string>;
  videoOfStem: ReadonlyMap<string, string>;
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A folder that is not there holds nothing; whoever asked reports the file as missing.
    return [];
  }
}
