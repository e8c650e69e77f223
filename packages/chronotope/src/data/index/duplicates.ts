import type { IndexedVideo } from './facts.js';
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
  split: 'train' | 'test';
}

/** Videos that show the same. */
export interface DuplicateGroup {
  /** `exact`: all files have the same contents; `near`: some were encoded differently. */
  kind: 'exact' | 'near';
  members: DuplicateMember[];
  /** Whether some are for training and some for testing: then test results say less than they seem to. */
  acrossSplits: boolean;
  /** Whether they carry different labels: at least one of them is wrong. */
  labelsDiffer: boolean;
  /** Bits of {@link HASH_BITS} by which members linked to each other differ at most; 0 for exact copies. */
  distance: number;
}

/** Gathers what is needed of each video, about 150 bytes, and finds the groups in the end. */
export class DuplicateFinder {
  readonly #members: DuplicateMember[] = [];
  /** For each content, the number of its first video among those with different contents. */
  readonly #contents = new Map<string, number>();
  /** Videos by the number of their content. */
  readonly #copies: number[][] = [];
  #hashes = new Uint32Array(1024 * WORDS);
  /** Numbers of contents in the order of `#hashes`; a video without contrast has no hash. */
  readonly #hashed: number[] = [];

  add({ id, label, split, file, video }: Pick<IndexedVideo, 'id' | 'label' | 'split' | 'file' | 'video'>): void {
    const member = this.#members.push({ id, label, split }) - 1;
    const known = this.#contents.get(file.sha256);
    if (known !== undefined) {
      this.#copies[known]!.push(member);
      return;
    }
    const content = this.#copies.push([member]) - 1;
    this.#contents.set(file.sha256, content);
    if (video.perceptualHash !== null) this.#addHash(content, hashWords(video.perceptualHash));
  }

  /** All groups of two or more, those across splits first, then those with different labels, then by first member. */
  groups(): DuplicateGroup[] {
    const links = linkNearHashes(this.#hashes.subarray(0, this.#hashed.length * WORDS), {
      wordsPerHash: WORDS,
      radius: NEAR_DUPLICATE_BITS,
      confirm: (first, second) => lookDistance(this.#hash(first), this.#hash(second)) <= NEAR_DUPLICATE_LOOK_BITS,
    });
    const farthest = new Map<number, number>();
    for (const { first, second, distance } of links) {
      for (const item of [first, second]) farthest.set(item, Math.max(distance, farthest.get(item) ?? 0));
    }
    const near = groupsOf(links).map((items) => {
      const contents = items.map((item) => this.#hashed[item]!);
      const distance = Math.max(...items.map((item) => farthest.get(item)!));
      return { contents, group: this.#group('near', contents, distance) };
    });
    const grouped = new Set(near.flatMap(({ contents }) => contents));
    const exact = this.#copies.flatMap((copies, content) =>
      copies.length > 1 && !grouped.has(content) ? [this.#group('exact', [content], 0)] : [],
    );
    const urgency = (group: DuplicateGroup) => (group.acrossSplits ? 2 : 0) + (group.labelsDiffer ? 1 : 0);
    return [...near.map(({ group }) => group), ...exact].sort((a, b) => urgency(b) - urgency(a));
  }

  #group(kind: 'exact' | 'near', contents: readonly number[], distance: number): DuplicateGroup {
    const numbers = contents.flatMap((content) => this.#copies[content]!).sort((a, b) => a - b);
    const members = numbers.map((number) => this.#members[number]!);
    const labels = new Set(members.flatMap(({ label }) => (label === null ? [] : [label])));
    return {
      kind,
      members,
      acrossSplits: new Set(members.map(({ split }) => split)).size > 1,
      labelsDiffer: labels.size > 1,
      distance,
    };
  }

  #hash(item: number): Uint32Array {
    return this.#hashes.subarray(item * WORDS, (item + 1) * WORDS);
  }

  #addHash(content: number, words: Uint32Array): void {
    const offset = this.#hashed.push(content) * WORDS - WORDS;
    if (offset + WORDS > this.#hashes.length) {
      const larger = new Uint32Array(2 * this.#hashes.length);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes.set(words, offset);
  }
}
