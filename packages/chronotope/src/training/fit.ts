import { setImmediate } from 'node:timers/promises';
import { memory, type optim, scope, type Tensor } from '@chronotope/torch';
import { ChronotopeError } from '../errors.js';
import type { Schedule } from './schedule.js';

/** What one optimiser step needs: a scalar to minimise, scalars to log, and which samples made it. */
export interface StepLoss {
  loss: Tensor;
  metrics: Record<string, Tensor>;
  ids: readonly string[];
}

/** One line of `metrics.jsonl`: means since the line before. */
export interface MetricsLine {
  step: number;
  learningRate: number;
  metrics: Record<string, number>;
  samplesPerSecond: number;
  /**
   * Share of the time spent waiting for batches, in [0, 1]: reading, decoding and augmenting them, as far as no worker
   * did it before. Augmentation on an accelerator counts only as long as it takes to start it there.
   */
  dataShare: number;
  /** Memory between two steps: of the whole process, and of all live tensors. */
  residentBytes: number;
  tensorBytes: number;
}

/** Settings of {@link fit}. */
export interface FitOptions<Batch> {
  steps: number;
  optimizer: optim.Optimizer;
  schedule: Schedule;
  /** Waits until the batch of a step can be had; the time counts as waiting for data. Default: nothing to wait for. */
  ready?: (step: number) => Promise<unknown>;
  /** Makes the batch of a step; must depend on the step number alone. */
  batch: (step: number) => Batch;
  loss: (batch: Batch, step: number) => StepLoss;
  /** Runs after each optimiser step, inside the step's scope (for example an average of the weights). */
  afterStep?: (step: number) => void;
  onMetrics?: (line: MetricsLine) => void;
  /** Steps between two lines of metrics. */
  logEvery?: number;
  /** Where an interrupted run of the same work stopped; model, optimiser and random numbers must be as they were then. */
  resume?: FitState;
  /** Called after each step but the last, with `stopping` when the signal has aborted; may save the state. */
  onStep?: (state: FitState, stopping: boolean) => void;
  signal?: AbortSignal;
}

/** What `fit` itself must know to go on after a step, as plain values. */
export interface FitState {
  /** Steps done. */
  step: number;
  /** Metrics since the last line. */
  window: MetricsSums;
}

/** Sums of what happened since the last line of metrics. */
export interface MetricsSums {
  sums: Record<string, number>;
  steps: number;
  samples: number;
  dataMilliseconds: number;
  milliseconds: number;
}

/**
 * Minimises a loss for a number of optimiser steps.
 *
 * Everything a step makes is freed with it. Between steps the event loop runs, so that Ctrl-C is seen.
 *
 * @throws ChronotopeError `loss-not-finite`, naming the samples of the batch; `interrupted` when the signal aborts
 */
export async function fit<Batch>(options: FitOptions<Batch>): Promise<void> {
  const { steps, optimizer, schedule, onMetrics, logEvery = 10, signal } = options;
  const baseRates = optimizer.paramGroups.map((group) => group.lr);
  let window = new MetricsWindow(options.resume?.window);

  for (let step = options.resume?.step ?? 0; step < steps; step++) {
    const factor = schedule(step);
    for (const [index, group] of optimizer.paramGroups.entries()) group.lr = baseRates[index]! * factor;

    const started = performance.now();
    await options.ready?.(step);
    scope(() => {
      const batch = options.batch(step);
      const dataReady = performance.now();
      optimizer.zeroGrad();
      const { loss, metrics, ids } = options.loss(batch, step);
      const value = loss.item();
      if (!Number.isFinite(value)) throw lossNotFinite(step, value, ids);
      loss.backward();
      optimizer.step();
      options.afterStep?.(step);
      window.add({ loss, ...metrics }, ids.length, dataReady - started, performance.now() - started);
    });

    if ((step + 1) % logEvery === 0 || step + 1 === steps) {
      onMetrics?.(window.summary(step + 1, baseRates[0]! * factor));
      window = new MetricsWindow();
    }
    await setImmediate();
    if (step + 1 === steps) return;
    const stopping = signal?.aborted === true;
    options.onStep?.({ step: step + 1, window: window.state }, stopping);
    if (stopping) throw interrupted();
  }
}

class MetricsWindow {
  readonly state: MetricsSums;

  constructor(state?: MetricsSums) {
    this.state = state ?? { sums: {}, steps: 0, samples: 0, dataMilliseconds: 0, milliseconds: 0 };
  }

  add(metrics: Record<string, Tensor>, samples: number, dataMilliseconds: number, milliseconds: number): void {
    for (const [name, value] of Object.entries(metrics)) {
      this.state.sums[name] = (this.state.sums[name] ?? 0) + value.item();
    }
    this.state.steps++;
    this.state.samples += samples;
    this.state.dataMilliseconds += dataMilliseconds;
    this.state.milliseconds += milliseconds;
  }

  summary(step: number, learningRate: number): MetricsLine {
    const { sums, steps, samples, dataMilliseconds, milliseconds } = this.state;
    return {
      step,
      learningRate,
      metrics: Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / steps])),
      samplesPerSecond: (1000 * samples) / milliseconds,
      dataShare: dataMilliseconds / milliseconds,
      residentBytes: process.memoryUsage.rss(),
      tensorBytes: memory().liveBytes,
    };
  }
}

function lossNotFinite(step: number, value: number, ids: readonly string[]): ChronotopeError {
  return new ChronotopeError('loss-not-finite', `the loss became ${value} at step ${step + 1}`, {
    hint: 'Lower the learning rate of this stage, or look at the videos named in the details.',
    details: { step: step + 1, ids: [...ids] },
  });
}

/** The error with which interrupted work ends; giving the same command again goes on. */
export function interrupted(): ChronotopeError {
  return new ChronotopeError('interrupted', 'interrupted', {
    hint: 'Run the same command again: finished stages are kept and the rest is done.',
  });
}
