import type { ManifestEntry } from '../manifest.js';
import { dataSetFindings } from './data-set-findings.js';
import { DuplicateFinder, type DuplicateGroup } from './duplicates.js';
import type { Failure, FileState, VideoFacts } from './facts.js';
import { type Finding, Occurrences, type Severity, videoRules } from './findings.js';
import type { SourceLayout } from './source.js';

/** How often a value occurs. */
export interface Share {
  value: string;
  videos: number;
}

/** Quantiles of a number over all usable videos. */
export interface Spread {
  least: number;
  /** Below it are 5, 50 and 95 % of the videos. */
  p5: number;
  median: number;
  p95: number;
  most: number;
}

/** Videos of one class. */
export interface ClassCount {
  name: string;
  train: number;
  validation: number;
  test: number;
}

/** Files that cannot be used for the same reason. */
export interface QuarantineReason {
  /** A `VideoErrorCode`. */
  code: string;
  count: number;
  hint: string;
  examples: { id: string; reason: string }[];
}

/** What the index found out about a data set. */
export interface HealthReport {
  /** What was indexed, and the folder with manifest and quarantine. */
  source: string;
  /** What the source was read as. */
  layout: SourceLayout;
  folder: string;
  /** Videos listed = usable + quarantined. */
  videos: number;
  usable: number;
  quarantined: number;
  /** Of the usable ones. */
  bytes: number;
  seconds: number;
  frames: number;
  withSound: number;
  unlabelled: number;
  classes: ClassCount[];
  /** Most urgent first. */
  findings: Finding[];
  quarantine: QuarantineReason[];
  duplicates: DuplicateGroup[];
  mix: {
    frameRates: Share[];
    sizes: Share[];
    codecs: Share[];
    containers: Share[];
    pixelFormats: Share[];
    rotations: Share[];
  };
  spread: { duration: Spread; statedDuration: Spread; keyframeSpacing: Spread; frames: Spread } | null;
}

const KEPT_REASONS = 20;
const severities: readonly Severity[] = ['error', 'warning', 'note'];

/** Takes the videos of a data set one by one, in memory of about 150 bytes a video, and reports on all of them. */
export class HealthCollector {
  readonly #duplicates = new DuplicateFinder();
  readonly #rules = videoRules.map((rule) => ({ rule, found: new Occurrences() }));
  readonly #classes = new Map<string, ClassCount>();
  readonly #splitsOfGroup = new Map<string, Set<string>>();
  readonly #reasons = new Map<string, QuarantineReason>();
  readonly #mix = {
    frameRates: new Counter(),
    sizes: new Counter(),
    codecs: new Counter(),
    containers: new Counter(),
    pixelFormats: new Counter(),
    rotations: new Counter(),
  };
  readonly #numbers = { duration: [], statedDuration: [], keyframeSpacing: [], frames: [] } as Record<
    'duration' | 'statedDuration' | 'keyframeSpacing' | 'frames',
    number[]
  >;
  readonly #totals = { usable: 0, quarantined: 0, bytes: 0, seconds: 0, frames: 0, withSound: 0, unlabelled: 0 };

  /** Adds a video that can be used. */
  add(entry: ManifestEntry, { file, video }: { file: FileState; video: VideoFacts }): void {
    const { label, split, group } = entry;
    this.#duplicates.add(entry, { file, video });
    for (const { rule, found } of this.#rules) {
      const detail = rule.applies(video);
      if (detail !== null) found.add(`${entry.id}: ${detail}`);
    }
    if (label === null) this.#totals.unlabelled += 1;
    else if (split !== 'unused') this.#classCount(label)[split] += 1;
    if (group !== undefined && split !== 'unused') {
      this.#splitsOfGroup.set(group, (this.#splitsOfGroup.get(group) ?? new Set<string>()).add(split));
    }
    this.#totals.usable += 1;
    this.#totals.bytes += file.bytes;
    this.#totals.seconds += video.duration;
    this.#totals.frames += video.frames;
    this.#totals.withSound += video.audio ? 1 : 0;
    this.#mix.frameRates.add(video.variableFrameRate ? 'variable' : String(Number(video.fps.toFixed(2))));
    this.#mix.sizes.add(`${video.width}x${video.height}`);
    this.#mix.codecs.add(video.codec);
    this.#mix.containers.add(video.container.split(',')[0]!);
    this.#mix.pixelFormats.add(video.pixelFormat);
    this.#mix.rotations.add(`${video.rotation}°`);
    this.#numbers.duration.push(video.duration);
    this.#numbers.frames.push(video.frames);
    this.#numbers.keyframeSpacing.push(video.keyframeSpacing);
    if (video.statedDuration !== null) this.#numbers.statedDuration.push(video.statedDuration);
  }

  /** Adds a file that cannot be used. */
  addFailure({ id, label }: ManifestEntry, { code, reason, hint }: Failure): void {
    this.#totals.quarantined += 1;
    // Its class should be listed even if none of its videos can be used.
    if (label !== null) this.#classCount(label);
    const same = this.#reasons.get(code) ?? { code, count: 0, hint, examples: [] };
    this.#reasons.set(code, same);
    same.count += 1;
    if (same.examples.length < KEPT_REASONS) same.examples.push({ id, reason });
  }

  /** The report; `layout`, `ignored` and `warnings` are those of the source. */
  report(about: {
    source: string;
    layout: SourceLayout;
    folder: string;
    ignored: readonly string[];
    warnings: readonly string[];
  }): HealthReport {
    const duplicates = this.#duplicates.groups();
    const classes = [...this.#classes.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const quarantine = [...this.#reasons.values()].sort((a, b) => b.count - a.count);
    const splitGroups = [...this.#splitsOfGroup].filter(([, splits]) => splits.size > 1).map(([group]) => group);
    const ofVideos = this.#rules.flatMap(({ rule: { applies: _, ...rule }, found: { count, examples } }): Finding[] =>
      count === 0 ? [] : [{ ...rule, count, examples }],
    );
    const ofAll = dataSetFindings({ ...about, ...this.#totals, duplicates, classes, quarantine, splitGroups });
    const findings = severities.flatMap((severity) =>
      [...ofAll, ...ofVideos].filter((finding) => finding.severity === severity),
    );
    return {
      source: about.source,
      layout: about.layout,
      folder: about.folder,
      videos: this.#totals.usable + this.#totals.quarantined,
      ...this.#totals,
      classes,
      findings,
      quarantine,
      duplicates,
      mix: {
        frameRates: this.#mix.frameRates.shares(),
        sizes: this.#mix.sizes.shares(),
        codecs: this.#mix.codecs.shares(),
        containers: this.#mix.containers.shares(),
        pixelFormats: this.#mix.pixelFormats.shares(),
        rotations: this.#mix.rotations.shares(),
      },
      spread:
        this.#totals.usable === 0
          ? null
          : {
              duration: spreadOf(this.#numbers.duration),
              statedDuration: spreadOf(this.#numbers.statedDuration),
              keyframeSpacing: spreadOf(this.#numbers.keyframeSpacing),
              frames: spreadOf(this.#numbers.frames),
            },
    };
  }

  #classCount(name: string): ClassCount {
    const count = this.#classes.get(name) ?? { name, train: 0, validation: 0, test: 0 };
    this.#classes.set(name, count);
    return count;
  }
}

/** Counts values. */
class Counter {
  readonly #counts = new Map<string, number>();

  add(value: string): void {
    this.#counts.set(value, (this.#counts.get(value) ?? 0) + 1);
  }

  /** The most frequent first. */
  shares(): Share[] {
    const shares = [...this.#counts].map(([value, videos]) => ({ value, videos }));
    return shares.sort((a, b) => b.videos - a.videos || (a.value < b.value ? -1 : 1));
  }
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { least: at(0), p5: at(0.05), median: at(0.5), p95: at(0.95), most: at(1) };
}
