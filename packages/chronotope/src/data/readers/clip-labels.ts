import { basename, join } from 'node:path';
import type { ClipRange, ManifestEntry } from '../manifest.js';
import type { MissingFiles, ReadOptions, Source } from './dataset.js';
import { Disk } from './disk.js';
import { clipId } from './table-row.js';

/** What an annotation tool says of one video: a label for all of it, or labels for parts of it, or nothing yet. */
export interface AnnotatedVideo {
  /** Path or URL as the tool knows it. */
  name: string;
  label: string | null;
  clips: { label: string; range: ClipRange }[];
}

/** Entries for the videos of an annotation tool's export. Clips of one video are a group. */
export function annotatedEntries(
  source: Source,
  { videos, missing: keep = 'leave-out' }: ReadOptions,
  annotated: readonly AnnotatedVideo[],
  missing: MissingFiles,
): ManifestEntry[] {
  const disk = new Disk(videos ?? (source.kind === 'file' ? join(source.path, '..') : source.path));
  return annotated.flatMap(({ name, label, clips }) => {
    const candidates = localNames(name);
    const found = candidates.map((candidate) => disk.findVideo(candidate)).find((path) => path !== null);
    if (found === undefined) {
      missing.add(name);
      if (keep === 'leave-out') return [];
    }
    const id = found ?? candidates[0]!;
    const whole = { path: disk.path(id), split: 'train' as const };
    if (clips.length === 0) {
      return [{ id, ...whole, label }];
    }
    return clips.map((clip) => ({
      id: clipId(id, clip.range),
      ...whole,
      label: clip.label,
      group: id,
      clip: clip.range,
    }));
  });
}

/**
 * Names under which an uploaded video may lie on this disk, the most particular first: the path inside the tool's
 * storage, then shorter ends of it, then the name without the eight hexadecimal digits that Label Studio puts before
 * the names of uploaded files.
 */
export function localNames(name: string): string[] {
  const path = storagePath(name);
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
  const ends = parts.map((_, index) => parts.slice(index).join('/'));
  const uploaded = /^[0-9a-f]{8}-(.+)$/.exec(basename(path))?.[1];
  return uploaded === undefined ? ends : [...ends, uploaded];
}

function storagePath(name: string): string {
  // Label Studio serves local files as /data/local-files/?d=folder/video.mp4.
  const local = /[?&]d=([^&]+)/.exec(name)?.[1];
  const path =
    local ??
    (/^[a-z][a-z0-9+.-]*:\/\//i.test(name) ? name.replace(/^[^/]*\/\/[^/]*/, '').replace(/[?#].*$/, '') : name);
  try {
    return decodeURIComponent(path).replaceAll('\\', '/');
  } catch {
    // A percent sign that is no escape belongs to the name.
    return path.replaceAll('\\', '/');
  }
}
