import { existsSync } from 'node:fs';
import { basename, dirname, extname, join, posix } from 'node:path';
import { isImage, isVideo, listFolder } from '../folders.js';
import { groupBy } from '../group-by.js';
import type { ArchiveMember, ManifestEntry } from '../manifest.js';
import { type DatasetReader, makeDataset, nothingFound, type Source } from './dataset.js';
import { listLines, malformed } from './lines.js';
import { splitNamed } from './table-row.js';
import { indexTar, readTarMember } from './tar-index.js';

/**
 * WebDataset: tar archives ("shards") in which the files of one sample have the same name up to the first dot,
 * `000017.mp4`, `000017.cls`, `000017.txt`. The video is read from its place in the shard; nothing is unpacked.
 *
 * The label is the text of `.cls` (a number counts from 0 into `classnames.txt` beside the shards, if that is there) or
 * the field `label` of `.json`; `.txt` holds a sentence. Every sample must have one video (or image).
 */
export const webdataset: DatasetReader = {
  format: 'webdataset',
  // An archive beside class folders may as well be a copy of them.
  general: true,
  recognise(source) {
    const [shard] = shardsOf(source);
    return shard === undefined ? null : `the archive ${basename(shard)}`;
  },
  async read(source) {
    const shards = shardsOf(source);
    if (shards.length === 0) {
      throw nothingFound('webdataset', source, 'one or more .tar files');
    }
    const root = source.kind === 'file' ? dirname(source.path) : source.path;
    const names = join(root, 'classnames.txt');
    const classes = existsSync(names) ? listLines(names).map(({ text }) => text) : null;
    const entries: ManifestEntry[] = [];
    for (const shard of shards) {
      const id = shard.slice(root.length).replaceAll('\\', '/').replace(/^\//, '');
      for (const [key, members] of samplesOf(await indexTar(shard))) {
        entries.push(await readSample(shard, id, key, members, classes));
      }
    }
    return makeDataset('webdataset', source, classes === null ? { entries } : { entries, classes });
  },
};

function shardsOf(source: Source): string[] {
  if (source.kind === 'file') {
    return source.path.endsWith('.tar') ? [source.path] : [];
  }
  const folders = ['', ...source.folders.filter((name) => splitNamed(name) !== null)];
  return folders.flatMap((folder) =>
    listFolder(source.path, folder)
      .files.filter((name) => name.endsWith('.tar'))
      .map((name) => join(source.path, folder, name)),
  );
}

/** Members by sample, in the order of the archive. */
function samplesOf(members: readonly ArchiveMember[]): Map<string, ArchiveMember[]> {
  return groupBy(members, ({ name }) => {
    const base = posix.basename(name);
    return base.startsWith('.') ? undefined : posix.join(posix.dirname(name), base.split('.')[0]!);
  });
}

async function readSample(
  shard: string,
  shardId: string,
  key: string,
  members: readonly ArchiveMember[],
  classes: readonly string[] | null,
): Promise<ManifestEntry> {
  const media = members.filter(({ name }) => isVideo(name) || isImage(name));
  if (media.length !== 1) {
    const got = members.map(({ name }) => name).join(', ');
    throw malformed(shard, null, `sample "${key}": expected one video, got ${media.length} (${got})`);
  }
  const content = async (extension: string): Promise<string | null> => {
    const member = members.find(({ name }) => extname(name) === extension);
    return member === undefined ? null : (await readTarMember(shard, member)).toString('utf8').trim();
  };
  const invalid = (problem: string): Error => malformed(shard, null, `sample "${key}": ${problem}`);
  const split = splitNamed(/(?<![a-z])(train|val|validation|test)(?![a-z])/i.exec(shardId)?.[1] ?? '') ?? 'train';
  const label = labelOf(await content('.cls'), await content('.json'), classes, invalid);
  const text = await content('.txt');
  const entry: ManifestEntry = { id: `${shardId}/${key}`, path: shard, label, split, archive: media[0]! };
  return text === null || text === '' ? entry : { ...entry, text };
}

function labelOf(
  cls: string | null,
  json: string | null,
  classes: readonly string[] | null,
  invalid: (problem: string) => Error,
): string | null {
  const value = cls ?? (json === null ? undefined : fieldOf(json, invalid));
  if (value === undefined || value === '') return null;
  if (classes === null || !/^\d+$/.test(value)) return value;
  const name = classes[Number(value)];
  if (name === undefined) throw invalid(`expected the number of a class below ${classes.length}, got ${value}`);
  return name;
}

function fieldOf(json: string, invalid: (problem: string) => Error): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw invalid(`expected JSON, got "${json.slice(0, 40)}" (${(error as Error).message})`);
  }
  const label = (value as { label?: unknown } | null)?.label;
  return typeof label === 'string' || typeof label === 'number' ? String(label) : undefined;
}
