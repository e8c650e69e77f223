import type { Progress, ProgressTask } from '../training/progress.js';

const BAR_WIDTH = 24;
const REDRAW_MILLISECONDS = 100;
const PLAIN_LINE_MILLISECONDS = 15_000;

type Clock = () => number;
const milliseconds: Clock = () => performance.now();

/** Draws progress on a terminal as one moving line, and elsewhere as plain lines now and then. */
export function terminalProgress(stream: NodeJS.WriteStream = process.stderr, now: Clock = milliseconds): Progress {
  return {
    begin: (title, total, unit) =>
      stream.isTTY ? new MovingLine(stream, now, title, total, unit) : new PlainLines(stream, now, title, total, unit),
    note: (line) => void stream.write(`${stream.isTTY ? '\r\x1b[2K' : ''}${line}\n`),
  };
}

abstract class Task implements ProgressTask {
  private readonly started: number;
  /** Rates count from here: what was done before the first report, and the time until it, say nothing about the rest. */
  private first: { done: number; seconds: number } | undefined;
  private lastDrawn = Number.NEGATIVE_INFINITY;

  constructor(
    protected readonly stream: NodeJS.WriteStream,
    private readonly now: Clock,
    protected readonly title: string,
    protected readonly total: number,
    protected readonly unit: string,
    private readonly interval: number,
  ) {
    this.started = now();
  }

  update(done: number, detail = ''): void {
    const now = this.now();
    this.first ??= { done, seconds: this.seconds };
    if (now - this.lastDrawn < this.interval) return;
    this.lastDrawn = now;
    this.draw(done, this.seconds, detail);
  }

  abstract end(summary?: string): void;
  protected abstract draw(done: number, seconds: number, detail: string): void;

  protected get seconds(): number {
    return (this.now() - this.started) / 1000;
  }

  protected rateAndRest(done: number, seconds: number): string {
    const since = this.first ?? { done, seconds };
    if (done === since.done || seconds - since.seconds < 0.5) return '';
    const rate = (done - since.done) / (seconds - since.seconds);
    return `${formatRate(rate)} ${this.unit}/s, ${formatSeconds((this.total - done) / rate)} left`;
  }
}

class MovingLine extends Task {
  constructor(stream: NodeJS.WriteStream, now: Clock, title: string, total: number, unit: string) {
    super(stream, now, title, total, unit, REDRAW_MILLISECONDS);
  }

  protected override draw(done: number, seconds: number, detail: string): void {
    const share = this.total === 0 ? 1 : done / this.total;
    const filled = Math.round(BAR_WIDTH * share);
    const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
    const parts = [`${done}/${this.total}`, this.rateAndRest(done, seconds), detail].filter((part) => part !== '');
    const line = `${this.title} ${bar} ${parts.join('  ')}`;
    this.stream.write(`\r\x1b[2K${line.slice(0, (this.stream.columns ?? 120) - 1)}`);
  }

  override end(summary = ''): void {
    this.stream.write(`\r\x1b[2K${endLine(this.title, summary, this.seconds)}\n`);
  }
}

class PlainLines extends Task {
  constructor(stream: NodeJS.WriteStream, now: Clock, title: string, total: number, unit: string) {
    super(stream, now, title, total, unit, PLAIN_LINE_MILLISECONDS);
  }

  protected override draw(done: number, seconds: number, detail: string): void {
    if (seconds < PLAIN_LINE_MILLISECONDS / 1000) return;
    const parts = [`${done}/${this.total}`, this.rateAndRest(done, seconds), detail].filter((part) => part !== '');
    this.stream.write(`  ${this.title}: ${parts.join(', ')}\n`);
  }

  override end(summary = ''): void {
    this.stream.write(`${endLine(this.title, summary, this.seconds)}\n`);
  }
}

function endLine(title: string, summary: string, seconds: number): string {
  return `✓ ${title}${summary === '' ? '' : `: ${summary}`} (${formatSeconds(seconds)})`;
}

function formatRate(rate: number): string {
  return rate >= 10 ? rate.toFixed(0) : rate.toFixed(1);
}

/** A length of time for people: `4.2 s`, `5 min 3 s`, `2 h 10 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
