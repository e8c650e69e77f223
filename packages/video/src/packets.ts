import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { ChildGuard, type ChildLimits, collectText, startChild } from './children.js';
import { findFfmpeg } from './ffmpeg.js';
import {
  describeReadHeader,
  inputArguments,
  isMovingPicture,
  type ProbeJson,
  probe,
  sizeOfReadableFile,
  type VideoInfo,
} from './probe.js';
import { askProber } from './prober.js';

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
 * Reads the times and key frames of a local video file's packets, without decoding. A damaged file gives
 * the packets up to where it cannot be read any further; a file without video gives none.
 *
 * Throws {@link VideoError}: `not-found`, `not-a-file`, `unreadable`, `empty-file`, `timeout`, `aborted`, `ffmpeg-missing`.
 */
export async function readPackets(path: string, options: PacketOptions = {}): Promise<PacketTimeline> {
  const absolute = resolve(path);
  await sizeOfReadableFile(absolute);
  return ((await askForPackets(absolute, options)) ?? (await walkThrough(absolute, options)).log).timeline();
}

/**
 * What {@link probe} and {@link readPackets} tell, in one reading where the file is in order.
 *
 * Throws {@link VideoError} as they do; `timeoutMs` is for each process.
 */
export async function probeWithPackets(
  path: string,
  options: PacketOptions = {},
): Promise<{ info: VideoInfo; packets: PacketTimeline }> {
  const absolute = resolve(path);
  const bytes = await sizeOfReadableFile(absolute);
  const log = (await askForPackets(absolute, options)) ?? (await readThrough(absolute, options));
  const header = log?.header();
  if (log && header?.format) {
    return { info: await describeReadHeader(absolute, bytes, header), packets: log.timeline() };
  }
  return { info: await probe(absolute, options), packets: await readPackets(absolute, options) };
}

const wantedEntries = [
  'packet=codec_type,stream_index,pts_time,dts_time,duration_time,flags',
  'stream=index,codec_type,codec_name,width,height,sample_aspect_ratio,pix_fmt,r_frame_rate,avg_frame_rate,start_time,start_pts,time_base,duration,nb_frames',
  'stream_disposition=attached_pic',
  'stream_tags=DURATION',
  'stream_side_data=rotation',
  'format=format_name,duration',
];

/** The packets and the header by the resident prober; null where that is for `ffprobe` to say. */
async function askForPackets(path: string, { timeoutMs = 60_000, signal }: PacketOptions): Promise<PacketLog | null> {
  const log = new PacketLog();
  return (await askProber('packets', path, { timeoutMs, signal }, (line) => log.read(line))) ? log : null;
}

/** The same by `ffprobe`; null where it ended with an error. */
async function readThrough(path: string, options: PacketOptions): Promise<PacketLog | null> {
  const { log, exitCode } = await walkThrough(path, options);
  return exitCode === 0 ? log : null;
}

/** Reads the packets of a file one by one with `ffprobe`, and then its header. */
async function walkThrough(path: string, { timeoutMs = 60_000, signal }: PacketOptions) {
  const { ffprobe } = await findFfmpeg();
  const output = ['-show_entries', wantedEntries.join(':'), '-of', 'json=compact=1'];
  const child = startChild(ffprobe, ['-v', 'error', ...output, ...inputArguments(path)], { stdin: 'ignore' });
  const guard = new ChildGuard(child, path, { timeoutMs, signal });
  try {
    collectText(child.stderr!, 64 << 10);
    const log = new PacketLog();
    for await (const line of createInterface({ input: child.stdout!, crlfDelay: Infinity })) log.read(line);
    const { exitCode } = await guard.ended;
    guard.throwIfStopped();
    return { log, exitCode };
  } finally {
    guard.release();
    child.stdout!.destroy();
  }
}

/** A packet as `ffprobe` describes it. */
interface Packet {
  codec_type?: string;
  stream_index?: number;
  pts_time?: string;
  dts_time?: string;
  duration_time?: string;
  flags?: string;
}

interface StreamPackets {
  timestamps: number[];
  keyframes: number[];
  end: number;
}

/** A header longer than this is damaged. */
const longestHeader = 4 << 20;

/** Collects ffprobe's lines. Streams are described after the packets, so every video stream is kept until the end. */
class PacketLog {
  readonly #streams = new Map<number, StreamPackets>();
  #hasAudio = false;
  /** Packets with side data, as those of MPEG transport streams, are followed by lines about it. */
  #inSideData = false;
  /** All that is no packet. */
  #rest = '';

  read(line: string): void {
    if (this.#inSideData) {
      this.#inSideData = !/\]\s*\},?\s*$/.test(line);
      return;
    }
    const packet = parsePacket(line);
    this.#inSideData = packet !== null && !/\},?\s*$/.test(line);
    if (packet !== null) this.#readPacket(packet);
    else if (this.#rest.length + line.length < longestHeader) this.#rest += line;
  }

  /** What is said about the file; null if it is not complete. */
  header(): ProbeJson | null {
    try {
      return JSON.parse(this.#rest) as ProbeJson;
    } catch {
      return null;
    }
  }

  timeline(): PacketTimeline {
    const described = this.header()?.streams?.find(isMovingPicture)?.index;
    const first = described ?? Math.min(...this.#streams.keys());
    const { timestamps, keyframes, end } = this.#streams.get(first) ?? emptyStream();
    return {
      timestamps: Float64Array.from(timestamps).sort(),
      keyframes: Float64Array.from(keyframes).sort(),
      end,
      hasAudio: this.#hasAudio,
    };
  }

  #readPacket({ codec_type: kind, stream_index: index = 0, flags = '', ...times }: Packet): void {
    if (kind === 'audio') this.#hasAudio = true;
    // Packets marked D are decoded for the sake of later ones, but an edit list hides them.
    if (kind !== 'video' || flags.includes('D')) return;
    const stream = this.#streams.get(index) ?? emptyStream();
    this.#streams.set(index, stream);
    // AVI states decoding times only, and raw streams none at all: then a packet follows the one before.
    const time = seconds(times.pts_time) ?? seconds(times.dts_time) ?? stream.end;
    stream.timestamps.push(time);
    if (flags.startsWith('K')) stream.keyframes.push(time);
    stream.end = Math.max(stream.end, time + (seconds(times.duration_time) ?? 0));
  }
}

function emptyStream(): StreamPackets {
  return { timestamps: [], keyframes: [], end: 0 };
}

/** The packet that a line describes; null for the lines around the packets. */
function parsePacket(line: string): Packet | null {
  if (!/^\s*\{ "codec_type": /.test(line)) return null;
  try {
    return JSON.parse(line.replace(/\}?,?\s*$/, '}')) as Packet;
  } catch {
    return null;
  }
}

function seconds(text: string | undefined): number | null {
  const value = Number(text);
  return text === undefined || Number.isNaN(value) ? null : value;
}
