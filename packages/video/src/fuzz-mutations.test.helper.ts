/** Random numbers of a fuzz test: the same for the same seed, on every machine. */
export class FuzzRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1). Mulberry32, a public-domain generator by Tommy Ettinger. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}

/** A video to be damaged. */
export interface FuzzSource {
  name: string;
  extension: string;
  bytes: Buffer;
}

/** A damaged video. */
export interface Mutant {
  bytes: Buffer;
  extension: string;
  /** The video whose frames may come out besides the own ones, where two were mixed. */
  mixedWith: FuzzSource | null;
}

type Mutation = (source: FuzzSource, others: readonly FuzzSource[], random: FuzzRandom) => Mutant;

const extensions = ['.mp4', '.mkv', '.avi', '.gif', '.ts', '.jpg', '.png', '.m3u8', '.mp3', '.txt', '.h264', ''];
const extremes = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff];
/** Boxes and chunks without which a file is hard to read. */
const structures = [
  'moov',
  'trak',
  'stbl',
  'stsd',
  'stco',
  'stsz',
  'stts',
  'ctts',
  'edts',
  'mdat',
  'avcC',
  'hdrl',
  'movi',
  'idx1',
];

/** All ways to damage a video, by name. */
export const mutations: Record<string, Mutation> = {
  'cut at a tenth': (source, _, random) => {
    const tenth = random.below(10);
    return mutant(source, source.bytes.subarray(0, Math.floor((source.bytes.length * tenth) / 10)));
  },
  'cut anywhere': (source, _, random) => mutant(source, source.bytes.subarray(0, random.below(source.bytes.length))),
  'flipped bytes': (source, _, random) => {
    const bytes = Buffer.from(source.bytes);
    for (let n = 2 ** random.below(8); n > 0; n--) bytes[random.below(bytes.length)]! ^= 1 + random.below(255);
    return mutant(source, bytes);
  },
  'flipped bits in the header': (source, _, random) => {
    const bytes = Buffer.from(source.bytes);
    const end = Math.min(bytes.length, 1500);
    for (let n = 2 ** random.below(5); n > 0; n--) bytes[random.below(end)]! ^= 1 << random.below(8);
    return mutant(source, bytes);
  },
  'extreme numbers': (source, _, random) => {
    const bytes = Buffer.from(source.bytes);
    for (let n = 1 + random.below(4); n > 0; n--) {
      const structure = bytes.indexOf(random.pick(structures), 0, 'latin1');
      const near = structure === -1 ? random.below(bytes.length) : structure + 4 * random.below(12);
      bytes.writeUInt32BE(random.pick(extremes), Math.min(near, bytes.length - 4));
    }
    return mutant(source, bytes);
  },
  'missing index or structure': (source, _, random) => {
    const bytes = Buffer.from(source.bytes);
    const present = structures.filter((name) => bytes.includes(name, 0, 'latin1'));
    if (present.length === 0) bytes.fill(0, 0, 64);
    else bytes.write('free', bytes.indexOf(random.pick(present), 0, 'latin1'), 'latin1');
    return mutant(source, bytes);
  },
  'hole, copy or noise in the middle': (source, _, random) => {
    const from = random.below(source.bytes.length);
    const length = 1 + random.below(Math.min(4000, source.bytes.length - from));
    const piece = source.bytes.subarray(from, from + length);
    const noise = Buffer.from(Array.from({ length }, () => random.below(256)));
    const instead = random.pick([Buffer.alloc(0), Buffer.alloc(length), Buffer.concat([piece, piece]), noise]);
    return mutant(
      source,
      Buffer.concat([source.bytes.subarray(0, from), instead, source.bytes.subarray(from + length)]),
    );
  },
  'wrong extension': (source, _, random) => ({ ...mutant(source, source.bytes), extension: random.pick(extensions) }),
  'streams of two files swapped': (source, others, random) => {
    const other = random.pick(others);
    const at = (bytes: Buffer): number => Math.max(0, bytes.indexOf('mdat', 0, 'latin1'));
    const [own, foreign] = [at(source.bytes) || source.bytes.length >> 1, at(other.bytes) || other.bytes.length >> 1];
    const bytes = Buffer.concat([source.bytes.subarray(0, own), other.bytes.subarray(foreign)]);
    return { ...mutant(source, bytes), mixedWith: other };
  },
  'two files in one': (source, others, random) => {
    const other = random.pick(others);
    return { ...mutant(source, Buffer.concat([source.bytes, other.bytes])), mixedWith: other };
  },
  untouched: (source) => mutant(source, source.bytes),
};

function mutant({ extension }: FuzzSource, bytes: Buffer): Mutant {
  return { bytes, extension, mixedWith: null };
}
