import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { ChildGuard, type ChildLimits, collectText, startChild } from './children.js';
import { findFfmpeg } from './ffmpeg.js';
import { inputArguments, sizeOfReadableFile } from './probe.js';

/** What the packets of a file tell about its first video stream (cover pictures do not count). Nothing is decoded. */
export interface PacketTimeline {
  /**
   * Presentation times of the packets that are shown, in seconds, ascending, `[P]`. Some codecs have packets that are
   * not shown and some store a frame in two packets, so P is close to the number of frames but not always equal.
   */
  timestamps: Float64Array;
  /** Presentation times of the packets that decoding can start at, in seconds, ascending. */
  keyframes: Float64Array;
  /** When the last shown packet ends, in seconds; 0 without packets. */
  end: number;
  /** Whether the file holds sound: at least one packet of an audio stream. */
  hasAudio: boolean;
}

/** Options of {@link readPackets}. */
export interface PacketOptions extends Partial<ChildLimits> {
  /** Milliseconds for reading through the file. Default 60,000. */
  timeoutMs?: number;
}

/**
 * Reads the times and key frames of a local video file's packets with `ffprobe`, without decoding. A damaged file gives
 * the packets up to where it cannot be read any further; a file without video gives none.
 *
 * Throws {@link VideoError}: `not-found`, `not-a-file`, `unreadable`, `empty-file`, `timeout`, `aborted`, `ffmpeg-missing`.
 */
export async function readPackets(
  path: string,
  { timeoutMs = 60_000, signal }: PacketOptions = {},
): Promise<PacketTimeline> {
  const absolute = resolve(path);
  await sizeOfReadableFile(absolute);
  const { ffprobe } = await findFfmpeg();
  const sections = [
    'packet=codec_type,stream_index,pts_time,dts_time,duration_time,flags',
    'stream=index,codec_type',
    'stream_disposition=attached_pic',
  ];
  const args = ['-v', 'error', '-show_entries', sections.join(':'), '-of', 'compact', ...inputArguments(absolute)];
  const child = startChild(ffprobe, args, { stdin: 'ignore' });
  const guard = new ChildGuard(child, absolute, { timeoutMs, signal });
  try {
    collectText(child.stderr!, 64 << 10);
    const log = new PacketLog();
    for await (const line of createInterface({ input: child.stdout!, crlfDelay: Infinity })) log.read(line);
    await guard.ended;
    guard.throwIfStopped();
    return log.timeline();
  } finally {
    guard.release();
    child.stdout!.destroy();
  }
}

interface StreamPackets {
  timestamps: number[];
  keyframes: number[];
  end: number;
}

/** Collects ffprobe's lines. Streams are described after the packets, so every video stream is kept until the end. */
class PacketLog {
  readonly #streams = new Map<number, StreamPackets>();
  readonly #pictures = new Set<number>();
  #hasAudio = false;

  read(line: string): void {
    const fields = new Map(line.split('|').map((field) => splitField(field)));
    if (fields.has('stream')) this.#readStream(fields);
    else if (fields.has('packet')) this.#readPacket(fields);
  }

  timeline(): PacketTimeline {
    const first = [...this.#streams.keys()].filter((index) => !this.#pictures.has(index)).sort((a, b) => a - b)[0];
    const { timestamps, keyframes, end } = this.#streams.get(first ?? -1) ?? emptyStream();
    return {
      timestamps: Float64Array.from(timestamps).sort(),
      keyframes: Float64Array.from(keyframes).sort(),
      end,
      hasAudio: this.#hasAudio,
    };
  }

  #readStream(fields: ReadonlyMap<string, string>): void {
    if (fields.get('disposition:attached_pic') === '1') this.#pictures.add(Number(fields.get('index')));
  }

  #readPacket(fields: ReadonlyMap<string, string>): void {
    const kind = fields.get('codec_type');
    if (kind === 'audio') this.#hasAudio = true;
    const flags = fields.get('flags') ?? '';
    // Packets marked D are decoded for the sake of later ones, but an edit list hides them.
    if (kind !== 'video' || flags.includes('D')) return;
    const index = Number(fields.get('stream_index'));
    const stream = this.#streams.get(index) ?? emptyStream();
    this.#streams.set(index, stream);
    // AVI states decoding times only, and raw streams none at all: then a packet follows the one before.
    const time = seconds(fields.get('pts_time')) ?? seconds(fields.get('dts_time')) ?? stream.end;
    stream.timestamps.push(time);
    if (flags.startsWith('K')) stream.keyframes.push(time);
    stream.end = Math.max(stream.end, time + (seconds(fields.get('duration_time')) ?? 0));
  }
}

function emptyStream(): StreamPackets {
  return { timestamps: [], keyframes: [], end: 0 };
}

function splitField(field: string): [string, string] {
  const separator = field.indexOf('=');
  return separator < 0 ? [field, ''] : [field.slice(0, separator), field.slice(separator + 1)];
}

function seconds(text: string | undefined): number | null {
  const value = Number(text);
  return text === undefined || Number.isNaN(value) ? null : value;
}
