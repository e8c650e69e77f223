import { memory, type Tensor } from '@chronotope/torch';

/** One line of `metrics.jsonl`: means since the line before. */
export interface MetricsLine {
  step: number;
  learningRate: number;
  metrics: Record<string, number>;
  /** What the validation after this step measured, if there was one. */
  validation?: Record<string, number>;
  samplesPerSecond: number;
  /**
   * Share of the time spent waiting for batches, in [0, 1]: reading, decoding and augmenting them, as far as no worker
   * did it before. Augmentation on an accelerator counts only as long as it takes to start it there.
   */
  dataShare: number;
  /**
   * Shares of the time in the forward pass, the backward pass and the optimiser with what belongs to it. An accelerator
   * goes on with the last two in the background; the next forward pass then waits for them.
   */
  forwardShare: number;
  backwardShare: number;
  optimizerShare: number;
  /** Memory between two steps: of the whole process, and of all live tensors. */
  residentBytes: number;
  tensorBytes: number;
}

/** One part of a step. */
export type Activity = 'data' | 'forward' | 'backward' | 'optimizer';

/** Sums of what happened since the last line of metrics, as plain values. */
export interface MetricsSums {
  /** Of every metric the sum of its values and their number. */
  sums: Record<string, [sum: number, count: number]>;
  samples: number;
  milliseconds: number;
  activities: Record<Activity, number>;
}

/** Collects what the steps between two lines of metrics measure. */
export class MetricsWindow {
  readonly state: MetricsSums;

  constructor(state?: MetricsSums) {
    const activities = { data: 0, forward: 0, backward: 0, optimizer: 0 };
    this.state = state ?? { sums: {}, samples: 0, milliseconds: 0, activities };
  }

  /** Scalars of one batch of `samples` samples. */
  addBatch(metrics: Record<string, Tensor>, samples: number): void {
    for (const [name, value] of Object.entries(metrics)) this.add(name, value.item());
    this.state.samples += samples;
  }

  add(name: string, value: number): void {
    const [sum, count] = this.state.sums[name] ?? [0, 0];
    this.state.sums[name] = [sum + value, count + 1];
  }

  /** Runs a part of a step and counts its time. */
  time<R>(activity: Activity, body: () => R): R {
    const started = performance.now();
    const result = body();
    this.#addTime(activity, started);
    return result;
  }

  /** Waits for a part of a step and counts the time. */
  async timeOf<R>(activity: Activity, part: Promise<R> | undefined): Promise<R | undefined> {
    const started = performance.now();
    const result = await part;
    this.#addTime(activity, started);
    return result;
  }

  #addTime(activity: Activity, started: number): void {
    this.state.activities[activity] += performance.now() - started;
  }

  /** Means since the window began. */
  summary(step: number, learningRate: number): MetricsLine {
    const { sums, samples, milliseconds, activities } = this.state;
    const shareOf = (activity: Activity) => (milliseconds === 0 ? 0 : activities[activity] / milliseconds);
    return {
      step,
      learningRate,
      metrics: Object.fromEntries(Object.entries(sums).map(([name, [sum, count]]) => [name, sum / count])),
      samplesPerSecond: milliseconds === 0 ? 0 : (1000 * samples) / milliseconds,
      dataShare: shareOf('data'),
      forwardShare: shareOf('forward'),
      backwardShare: shareOf('backward'),
      optimizerShare: shareOf('optimizer'),
      residentBytes: process.memoryUsage.rss(),
      tensorBytes: memory().liveBytes,
    };
  }
}

/** What several processes measured at the same time, as if one had: its batches are all of theirs. */
export function together(all: readonly MetricsSums[]): MetricsSums {
  const mean = (of: (sums: MetricsSums) => number) => all.reduce((sum, one) => sum + of(one), 0) / all.length;
  const names = new Set(all.flatMap(({ sums }) => Object.keys(sums)));
  const total = (name: string, part: 0 | 1) => all.reduce((sum, { sums }) => sum + (sums[name]?.[part] ?? 0), 0);
  return {
    sums: Object.fromEntries([...names].map((name) => [name, [total(name, 0), total(name, 1)]])),
    samples: all.length * mean(({ samples }) => samples),
    milliseconds: mean(({ milliseconds }) => milliseconds),
    activities: {
      data: mean(({ activities }) => activities.data),
      forward: mean(({ activities }) => activities.forward),
      backward: mean(({ activities }) => activities.backward),
      optimizer: mean(({ activities }) => activities.optimizer),
    },
  };
}
