import { totalmem } from 'node:os';
import type { StoreFormat } from './store-entry.js';

/** How much space the frames of a set of videos take, and in which format they are kept. */
export interface StorePlan {
  format: StoreFormat;
  /** Why, in one sentence. */
  reason: string;
  /** Videos that can be used, as far as their headers tell. */
  videos: number;
  /** Those whose frames are not stored yet. */
  toDecode: number;
  /** Estimated bytes of all their frames as raw pixels. */
  rawBytes: number;
  /** Estimated bytes of all their frames as JPEG pictures. */
  jpegBytes: number;
  /** Estimated bytes that will be written. */
  bytesToWrite: number;
  /** Free bytes of the disk. */
  freeBytes: number;
}

/**
 * Raw bytes for one of JPEG. Measured: 9.5 on real clips at 128 pixels; busier pictures take more, and an estimate had
 * better be too large.
 */
const jpegRatio = 6;

/** What is known before anything is decoded. */
export interface PlanFacts {
  /** Of each video, the estimated bytes of its frames as raw pixels, and the formats in which they are stored already. */
  videos: readonly { rawBytes: number; stored: readonly StoreFormat[] }[];
  wanted: StoreFormat | 'auto';
  /** Most bytes the frames may take; undefined for the default. */
  budgetBytes: number | undefined;
  freeBytes: number;
  /** Memory of the machine. Default: this one's. */
  memoryBytes?: number;
}

/**
 * Chooses the format: raw where it fits into the budget, else JPEG. Without a budget, raw may take half of what is free,
 * and no more than the machine's memory, so that later epochs are read from there; and videos most of which are stored
 * in one format stay in it, so that a run that is continued sees the same frames.
 */
export function planStore(facts: PlanFacts): StorePlan {
  const { videos, wanted, budgetBytes, freeBytes, memoryBytes = totalmem() } = facts;
  const rawBytes = videos.reduce((sum, video) => sum + video.rawBytes, 0);
  const storedIn = (format: StoreFormat) => videos.filter(({ stored }) => stored.includes(format));
  const storedRawBytes = storedIn('raw').reduce((sum, video) => sum + video.rawBytes, 0);
  const sizes = `raw frames take about ${formatBytes(rawBytes)}, JPEG about ${formatBytes(rawBytes / jpegRatio)}`;
  const choose = (): { format: StoreFormat; reason: string } => {
    if (wanted !== 'auto') return { format: wanted, reason: `${sizes}; ${wanted} was asked for` };
    if (budgetBytes !== undefined) {
      const fits = rawBytes <= budgetBytes;
      const reason = `${sizes}; raw is ${fits ? 'within' : 'over'} the budget of ${formatBytes(budgetBytes)}`;
      return { format: fits ? 'raw' : 'jpeg', reason };
    }
    const [raw, jpeg] = [storedIn('raw').length, storedIn('jpeg').length];
    if (Math.max(raw, jpeg) * 2 > videos.length) {
      const format = raw >= jpeg ? 'raw' : 'jpeg';
      return { format, reason: `${sizes}; most of the videos are stored as ${format} already` };
    }
    const share = Math.min((freeBytes + storedRawBytes) / 2, memoryBytes);
    const fits = rawBytes <= share;
    const limit = `${formatBytes(share)} (half of the free disk, at most the memory)`;
    return { format: fits ? 'raw' : 'jpeg', reason: `${sizes}; raw ${fits ? 'fits into' : 'is over'} ${limit}` };
  };
  const { format, reason } = choose();
  const missing = videos.filter(({ stored }) => !stored.includes(format));
  const missingRawBytes = missing.reduce((sum, video) => sum + video.rawBytes, 0);
  const bytesToWrite = format === 'raw' ? missingRawBytes : missingRawBytes / jpegRatio;
  const counts = { videos: videos.length, toDecode: missing.length };
  return { format, reason, ...counts, rawBytes, jpegBytes: rawBytes / jpegRatio, bytesToWrite, freeBytes };
}

/** A number of bytes for people, in decimal units. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let [value, unit] = [bytes, 0];
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}
