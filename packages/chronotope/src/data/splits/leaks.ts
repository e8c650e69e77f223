import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { groupBy } from '../group-by.js';
import { framePaths, type ManifestEntry, type Split } from '../manifest.js';

/** Something that two parts of a data set have in common and should not. */
export interface Leak {
  /** What is the same: the file, the group (person, source video), or the content of two files. */
  kind: 'file' | 'group' | 'content';
  /** The file, the name of the group, or the hash of the content. */
  shared: string;
  parts: Split[];
  /** Ids of the videos concerned, sorted. */
  ids: string[];
}

const PARTS: readonly Split[] = ['train', 'validation', 'test'];

/**
 * What training, validation and test videos have in common: the same file (also two clips of it), the same group, the
 * same content according to the field `hash`. Unused videos are not looked at. Several lists may be checked together by
 * joining their entries.
 *
 * @returns leaks in the order file, group, content, sorted by what is shared; one pair of videos may appear in several
 */
export function findLeaks(entries: readonly ManifestEntry[]): Leak[] {
  const used = entries.filter(({ split }) => PARTS.includes(split));
  return [
    ...leaksBy('file', used, fileOf),
    ...leaksBy('group', used, ({ group }) => group),
    ...leaksBy('content', used, ({ hash }) => hash),
  ];
}

/**
 * Fills in the field `hash` by reading the files. Only files that have the size of another one are read: others cannot
 * be the same. Entries that are no single file (frame folders, members of archives, clips) keep what they have.
 */
export async function withContentHashes(entries: readonly ManifestEntry[]): Promise<ManifestEntry[]> {
  const sizes = entries.map((entry) =>
    isSingleFile(entry) ? statSync(entry.path, { throwIfNoEntry: false })?.size : undefined,
  );
  const timesSeen = new Map<number, number>();
  for (const size of sizes) {
    if (size !== undefined) timesSeen.set(size, (timesSeen.get(size) ?? 0) + 1);
  }
  const result: ManifestEntry[] = [];
  for (const [index, entry] of entries.entries()) {
    const size = sizes[index];
    const read = entry.hash === undefined && size !== undefined && timesSeen.get(size)! > 1;
    result.push(read ? { ...entry, hash: await contentHash(entry.path) } : entry);
  }
  return result;
}

function leaksBy(
  kind: Leak['kind'],
  entries: readonly ManifestEntry[],
  key: (entry: ManifestEntry) => string | undefined,
): Leak[] {
  return [...groupBy(entries, key)]
    .flatMap(([shared, videos]) => {
      const parts = PARTS.filter((part) => videos.some(({ split }) => split === part));
      return parts.length < 2 ? [] : [{ kind, shared, parts, ids: videos.map(({ id }) => id).sort() }];
    })
    .sort((a, b) => (a.shared < b.shared ? -1 : 1));
}

/** What an entry is on the disk: a file, a member of an archive, or the first of several images. */
function fileOf(entry: ManifestEntry): string {
  if (entry.archive !== undefined) return `${resolve(entry.path)}#${entry.archive.name}`;
  return resolve(framePaths(entry)[0] ?? entry.path);
}

function isSingleFile({ frames, archive, clip }: ManifestEntry): boolean {
  return frames === undefined && archive === undefined && clip === undefined;
}

async function contentHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}
