import type { MetricsLine } from './metrics-window.js';
import type { Progress, ProgressTask } from './progress.js';

/** From this share of waiting for data on, the advice is worth its line. */
const DATA_BOUND = 0.5;
const ADVICE_AFTER_SECONDS = 60;

/** Shows people how a stage goes on. */
export class StageProgress {
  readonly #task: ProgressTask;
  readonly #progress: Progress;
  readonly #title: string;
  #last: MetricsLine | undefined;
  /** Seconds covered by metrics, and those of them that were spent waiting for data. */
  #seconds = { all: 0, data: 0 };
  #advised = false;
  #lineAt: number;
  readonly #now: () => number;

  /** @param now a clock in milliseconds */
  constructor(progress: Progress, title: string, steps: number, now = () => performance.now()) {
    this.#progress = progress;
    this.#title = title;
    this.#now = now;
    this.#lineAt = now();
    this.#task = progress.begin(title, steps, 'steps');
  }

  /** A step, counted from 1, is over. */
  step(step: number): void {
    this.#task.update(step, this.#detail);
  }

  line(line: MetricsLine): void {
    // What was validated stays in sight until it is validated again.
    this.#last = { ...line, validation: line.validation ?? this.#last?.validation };
    this.step(line.step);
    const now = this.#now();
    const seconds = (now - this.#lineAt) / 1000;
    this.#lineAt = now;
    this.#seconds.all += seconds;
    this.#seconds.data += seconds * line.dataShare;
    this.#advise();
  }

  /** @param remark said beside the last metrics */
  end(remark?: string): void {
    this.#task.end([this.#detail, remark].filter((part) => part !== undefined).join('  '));
  }

  get #detail(): string | undefined {
    return this.#last && describeLine(this.#last);
  }

  #advise(): void {
    const { all, data } = this.#seconds;
    if (this.#advised || all < ADVICE_AFTER_SECONDS || data < DATA_BOUND * all) return;
    this.#advised = true;
    this.#progress.note(
      `  ${this.#title}: ${percent(data / all)} of the time goes into waiting for clips. ` +
        'Raw frames are read fastest (frames.format: raw), small ones faster than large ones (frames.shortSide), and a ' +
        'store on a local disk faster than one on a network (--frames).',
    );
  }
}

/** The numbers of a line of metrics, for people. */
export function describeLine(line: MetricsLine): string {
  const { dataShare, forwardShare, backwardShare, optimizerShare, samplesPerSecond: rate } = line;
  const shares = { data: dataShare, forward: forwardShare, backward: backwardShare, optimiser: optimizerShare };
  const parts = [
    values(line.metrics),
    ...(line.validation ? [`validation: ${values(line.validation)}`] : []),
    `${rate >= 10 ? rate.toFixed(0) : rate.toFixed(1)} samples/s`,
    Object.entries(shares)
      .map(([name, share]) => `${name} ${percent(share)}`)
      .join(' '),
    `${(line.residentBytes / 2 ** 30).toFixed(1)} GiB`,
  ];
  return parts.join('  ');
}

const values = (metrics: Record<string, number>): string =>
  Object.entries(metrics)
    .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
    .join('  ');

const percent = (share: number): string => `${Math.round(100 * share)}%`;
