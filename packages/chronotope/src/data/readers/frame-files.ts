import { extname } from 'node:path';
import { type FrameFiles, frameName } from '../manifest.js';

/**
 * Describes the images of one video in the order in which they are shown: a pattern with first number and count when
 * they are numbered without a gap, else the list of their names. Numbers count as numbers: `frame10` follows `frame9`.
 *
 * @param names file names, at least one
 * @param folder what to put before the names, such as `img/`
 */
export function describeFrames(names: readonly string[], folder = ''): FrameFiles {
  const sorted = sortFrames(names);
  return numberedFrames(sorted, folder) ?? { files: sorted.map((name) => folder + name) };
}

/** Image names in the order of their last number, those without one by name. */
export function sortFrames(names: readonly string[]): string[] {
  const keyed = names.map((name) => ({ name, number: frameNumber(name) ?? -1 }));
  return keyed.sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1)).map(({ name }) => name);
}

/** The last number in an image's name, without its extension: 12 for `clip3_frame0012.jpg`; `null` without any. */
export function frameNumber(name: string): number | null {
  const digits = /(\d+)\D*$/.exec(name.slice(0, name.length - extname(name).length))?.[1];
  return digits === undefined ? null : Number(digits);
}

function numberedFrames(sorted: readonly string[], folder: string): FrameFiles | null {
  const first = frameNumber(sorted[0]!);
  const match = /^(.*?)(\d+)(\D*\.[^.]*)$/.exec(sorted[0]!);
  if (first === null || match === null) {
    return null;
  }
  const [, before, digits, after] = match as unknown as [string, string, string, string];
  const width = digits.length > 1 && digits.startsWith('0') ? `0${digits.length}` : '';
  const pattern = `${escapePercent(folder + before)}%${width}d${escapePercent(after)}`;
  const gapless = sorted.every((name, k) => frameName(pattern, first + k) === folder + name);
  return gapless ? { pattern, first, count: sorted.length } : null;
}

const escapePercent = (text: string): string => text.replaceAll('%', '%%');
