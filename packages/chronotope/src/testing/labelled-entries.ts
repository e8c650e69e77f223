import type { ManifestEntry } from '../data/manifest.js';

/** Classes with a comma and with other scripts in their names. */
export const classes = ['jump', 'wave, both hands', '점프'];

/** Of each class 12 training videos and a test video, and a video without a label. */
export const entries: readonly ManifestEntry[] = [
  ...classes.flatMap((name) => [
    ...Array.from({ length: 12 }, (_, k) => entry(`${name}/${k}.mp4`, name, 'train')),
    entry(`_test/${name}/1.mp4`, name, 'test'),
  ]),
  entry('_unlabelled/1.mp4', null, 'train'),
];

/** A video without anything but a label and a part. */
export function entry(id: string, label: string | null, split: 'train' | 'test'): ManifestEntry {
  return { id, path: `/data/${id}`, label, split };
}

/** The training videos that have a label. */
export function labelledIds(result: readonly ManifestEntry[]): string[] {
  return result.filter(({ split, label }) => split === 'train' && label !== null).map(({ id }) => id);
}
