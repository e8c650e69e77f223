import type { ManifestEntry, Split } from '../manifest.js';
import type { FileState, VideoFacts } from './facts.js';
import { groupsOf, linkNearHashes } from './near-duplicates.js';
import {
  HASH_BITS,
  hashWords,
  lookDistance,
  NEAR_DUPLICATE_BITS,
  NEAR_DUPLICATE_LOOK_BITS,
} from './perceptual-hash.js';

const WORDS = HASH_BITS / 32;

/** One of several videos that are the same. */
export interface DuplicateMember {
  id: string;
  label: string | null;
  split: Split;
}

/** Videos that show the same. */
export interface DuplicateGroup {
  /** `exact`: all files have the same contents; `near`: some were encoded differently. */
  kind: 'exact' | 'near';
  members: DuplicateMember[];
  /** Whether they are in several of train, validation and test: then results say less than they seem to. */
  acrossSplits: boolean;
  /** Whether they carry different labels: at least one of them is wrong. */
  labelsDiffer: boolean;
  /** Bits of {@link HASH_BITS} by which members linked to each other differ at most; 0 for exact copies. */
  distance: number;
}

/** Gathers what is needed of each video, about 80 bytes, and finds the groups in the end. */
export class DuplicateFinder {
  readonly #entries: ManifestEntry[] = [];
  /** SHA-256 and perceptual hash of each video; zeros for one that has none. */
  readonly #contents = new WordRows();
  readonly #hashes = new WordRows();
  readonly #withoutHash = new Set<number>();

  add(entry: ManifestEntry, { file, video }: { file: FileState; video: VideoFacts }): void {
    const number = this.#entries.push(entry) - 1;
    this.#contents.add(hashWords(file.sha256));
    if (video.perceptualHash === null) this.#withoutHash.add(number);
    this.#hashes.add(video.perceptualHash === null ? new Uint32Array(WORDS) : hashWords(video.perceptualHash));
  }

  /** All groups of two or more, those across splits first, then those with different labels, then by first member. */
  groups(): DuplicateGroup[] {
    const copies = this.#copies();
    const hashed = copies.filter(([first]) => !this.#withoutHash.has(first!));
    const hashes = this.#hashes.select(hashed.map(([first]) => first!));
    const links = linkNearHashes(hashes.words, {
      wordsPerHash: WORDS,
      radius: NEAR_DUPLICATE_BITS,
      confirm: (first, second) => lookDistance(hashes.row(first), hashes.row(second)) <= NEAR_DUPLICATE_LOOK_BITS,
    });
    const farthest = new Map<number, number>();
    for (const { first, second, distance } of links) {
      for (const item of [first, second]) farthest.set(item, Math.max(distance, farthest.get(item) ?? 0));
    }
    const near = groupsOf(links).map((items) => {
      const distance = items.reduce((most, item) => Math.max(most, farthest.get(item)!), 0);
      return {
        items,
        group: this.#group(
          'near',
          items.flatMap((item) => hashed[item]!),
          distance,
        ),
      };
    });
    const grouped = new Set(near.flatMap(({ items }) => items.map((item) => hashed[item]!)));
    const exact = copies.filter((same) => same.length > 1 && !grouped.has(same));
    const urgency = (group: DuplicateGroup) => (group.acrossSplits ? 2 : 0) + (group.labelsDiffer ? 1 : 0);
    return [...near.map(({ group }) => group), ...exact.map((same) => this.#group('exact', same, 0))].sort(
      (a, b) => urgency(b) - urgency(a),
    );
  }

  /** The videos of each content, by number; in the order of their first. */
  #copies(): number[][] {
    const order = this.#contents.sortedOrder();
    const copies: number[][] = [];
    for (const [i, number] of order.entries()) {
      const same = i > 0 && this.#contents.compare(order[i - 1]!, number) === 0;
      if (same) copies.at(-1)!.push(number);
      else copies.push([number]);
    }
    return copies.sort((a, b) => a[0]! - b[0]!);
  }

  #group(kind: 'exact' | 'near', numbers: readonly number[], distance: number): DuplicateGroup {
    const members = [...numbers]
      .sort((a, b) => a - b)
      .map((number) => this.#entries[number]!)
      .map(({ id, label, split }) => ({ id, label, split }));
    const labels = new Set(members.flatMap(({ label }) => (label === null ? [] : [label])));
    return {
      kind,
      members,
      acrossSplits: new Set(members.map(({ split }) => split).filter((split) => split !== 'unused')).size > 1,
      labelsDiffer: labels.size > 1,
      distance,
    };
  }
}

/** Rows of {@link WORDS} 32-bit words in one array that grows: a tenth of the memory of as many strings. */
class WordRows {
  #words = new Uint32Array(1024 * WORDS);
  #rows = 0;

  add(row: Uint32Array): void {
    if ((this.#rows + 1) * WORDS > this.#words.length) {
      const larger = new Uint32Array(2 * this.#words.length);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words.set(row, this.#rows * WORDS);
    this.#rows += 1;
  }

  get words(): Uint32Array {
    return this.#words.subarray(0, this.#rows * WORDS);
  }

  row(number: number): Uint32Array {
    return this.#words.subarray(number * WORDS, (number + 1) * WORDS);
  }

  /** New rows: those with these numbers. */
  select(numbers: readonly number[]): WordRows {
    const selected = new WordRows();
    for (const number of numbers) selected.add(this.row(number));
    return selected;
  }

  /** The numbers of all rows, sorted by their words, equal ones by number. */
  sortedOrder(): Uint32Array {
    const numbers = Uint32Array.from({ length: this.#rows }, (_, number) => number);
    return numbers.sort((a, b) => this.compare(a, b) || a - b);
  }

  /** Below, at or above 0 as the first row comes before, is equal to or comes after the second. */
  compare(first: number, second: number): number {
    for (let i = 0; i < WORDS; i++) {
      const difference = this.#words[first * WORDS + i]! - this.#words[second * WORDS + i]!;
      if (difference !== 0) return difference;
    }
    return 0;
  }
}
